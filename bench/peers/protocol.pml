// SPDX-License-Identifier: GPL-2.0-only
//
// KVM's page fault of 2008 against its MMU notifiers, written for SPIN by hand: what kvmcheck is measured beside.
// bench/protocol.kvm is the same protocol.  Here all is as one would write it in Promela:
//
//   - a page is a number from 1, and 0 is none;
//   - the sequence is a bit for each vcpu, "it has changed since your snapshot", so that it needs no end;
//   - mmap_sem is left out, since nobody takes it for writing, and so are flushes, since there are no TLBs;
//   - properties are assertions, made where something changes that they speak of.
//
//   -DVCPUS=n -DPAGES=n -DNOTIFIERS=n   sizes; frames of the guest and pages of the host are equally many
//   -DRANGES    notifiers take single pages and ranges in turn, not only single pages
//   -DSECTIONS  what is done under a lock, without waiting for another, is one step; else each access is one
//   -DNO_RETRY  a mutant: the fault does not ask whether something was invalidated meanwhile

#ifndef VCPUS
#define VCPUS 1
#endif
#ifndef PAGES
#define PAGES 1
#endif
#ifndef NOTIFIERS
#define NOTIFIERS 1
#endif

#ifdef SECTIONS
#define SECTION d_step
#define CHOICE atomic
#define STEP
#else
#define SECTION
#define CHOICE
#define STEP d_step
#endif

bit  mmu_lock, page_table_lock;
byte pte[PAGES];                // what the host maps at an address
byte spte[PAGES];               // what the guest's page table maps there
bit  rmap[PAGES];               // whether the reverse map names the entry
byte page_count[PAGES + 1];     // references; page_count[0] is nobody's
byte mmu_notifier_count;
bit  stale[VCPUS];              // mmu_notifier_seq has changed since this vcpu read it

// Ghosts: what only the properties read.
bit  being_invalidated[PAGES];  // the pte is gone, and the callback about it has not returned
byte open_windows;
byte carried[PAGES + 1];        // faults that hold a reference on the page

byte i_;                        // of loops in a d_step: 0 whenever a step is over
byte n_;

// ------------------------------------------------------------------ what must be true

inline check_sptes()
{
    i_ = 0;
    do
    :: i_ < PAGES -> assert(!spte[i_] || pte[i_] == spte[i_] || being_invalidated[i_]); i_++
    :: else -> break
    od;
    i_ = 0
}

// Only where no lock is held: under one, a reference may be on its way.
inline check_balance()
{
    if
    :: !mmu_lock && !page_table_lock ->
        i_ = 0;
        do
        :: i_ < PAGES -> assert(rmap[i_] == (spte[i_] != 0)); i_++
        :: else -> break
        od;
        n_ = 1;
        do
        :: n_ <= PAGES ->
            page_count[0] = carried[n_];
            i_ = 0;
            do
            :: i_ < PAGES -> page_count[0] = page_count[0] + (pte[i_] == n_) + (spte[i_] == n_); i_++
            :: else -> break
            od;
            assert(page_count[n_] == page_count[0]);
            n_++
        :: else -> break
        od;
        i_ = 0; n_ = 0; page_count[0] = 0;
        assert(mmu_notifier_count == open_windows)
    :: else
    fi
}

// ------------------------------------------------------------------ what both sides use

inline lock(l) { d_step { l == 0 -> l = 1 } }
inline unlock(l) { d_step { l = 0; check_balance() } }

inline put_page(page) { d_step { page_count[page]--; check_balance() } }

// mmu_notifier_seq++, under mmu_lock.
inline next_seq()
{
    d_step {
        i_ = 0;
        do
        :: i_ < VCPUS -> stale[i_] = 1; i_++
        :: else -> break
        od;
        i_ = 0
    }
}

// Unmap an address, under mmu_lock: the entry's reference goes, then its place in the reverse map, then the entry.
inline unmap(gfn)
{
    if
    :: rmap[gfn] ->
        page_count[spte[gfn]]--;
        rmap[gfn] = 0;
        spte[gfn] = 0
    :: else
    fi
}

// ------------------------------------------------------------------ the fault

// Some free page, the first one, mapped by the host; 0 if there is none.
inline do_anonymous_page(gfn, pfn)
{
    d_step {
        i_ = 1;
        do
        :: i_ <= PAGES && page_count[i_] != 0 -> i_++
        :: else -> break
        od;
        if
        :: i_ <= PAGES -> page_count[i_] = 1; pte[gfn] = i_; pfn = i_
        :: else
        fi;
        i_ = 0
    }
}

// The entry owns the fault's reference from here on, or there was one already.
inline mmu_set_spte(gfn, pfn)
{
    if
    :: spte[gfn] == pfn -> page_count[pfn]--
    :: else ->
        if
        :: spte[gfn] -> page_count[spte[gfn]]--; rmap[gfn] = 0
        :: else
        fi;
        d_step { spte[gfn] = pfn; check_sptes() };
        rmap[gfn] = 1
    fi;
    carried[pfn]--
}

#ifdef NO_RETRY
#define MMU_NOTIFIER_RETRY(v) false
#else
#define MMU_NOTIFIER_RETRY(v) (mmu_notifier_count || stale[v])
#endif

proctype vcpu(byte v)
{
    byte gfn, pfn;
    bit retry;

    do
    ::  CHOICE {
            atomic { select (gfn : 0 .. PAGES - 1) };
            stale[v] = 0                        // the snapshot of mmu_notifier_seq
        };

        SECTION {                               // gfn_to_pfn()
            lock(page_table_lock);
            pfn = pte[gfn];
            if
            :: pfn == 0 -> do_anonymous_page(gfn, pfn)
            :: else
            fi;
            STEP {
                if
                :: pfn -> page_count[pfn]++; carried[pfn]++
                :: else
                fi
            };
            unlock(page_table_lock)
        };

        if
        :: pfn == 0                             // nothing there: emulate as MMIO
        :: else ->
            SECTION {
                lock(mmu_lock);
                retry = MMU_NOTIFIER_RETRY(v);
                if
                :: retry
                :: else -> mmu_set_spte(gfn, pfn)
                fi;
                unlock(mmu_lock)
            };
            if
            :: retry -> d_step { carried[pfn]--; page_count[pfn]--; check_balance() }
            :: else
            fi
        fi;
        d_step { gfn = 0; pfn = 0; retry = 0 }
    od
}

// ------------------------------------------------------------------ the host

// Swap-out: all of it under the page-table lock, the callback too.
inline try_to_unmap(hva, page)
{
    SECTION {
        lock(page_table_lock);
        page = pte[hva];
        if
        :: page == 0 -> unlock(page_table_lock)
        :: else -> d_step { pte[hva] = 0; being_invalidated[hva] = 1 }
        fi
    };
    if
    :: page == 0
    :: else ->
        SECTION {                               // invalidate_page
            lock(mmu_lock);
            next_seq();
            unmap(hva);
            unlock(mmu_lock)
        };
        SECTION {
            d_step { being_invalidated[hva] = 0; check_sptes() };
            put_page(page);
            unlock(page_table_lock)
        }
    fi
}

// madvise(MADV_DONTNEED): a window around the clearing.
inline zap_page_range(hva, page)
{
    SECTION {                                   // invalidate_range_start
        lock(mmu_lock);
        STEP { mmu_notifier_count++; open_windows++ };
        unmap(hva);
        unlock(mmu_lock)
    };
    SECTION {                                   // zap_pte_range()
        lock(page_table_lock);
        page = pte[hva];
        if
        :: page == 0
        :: else ->
            d_step { pte[hva] = 0; check_sptes() };
            put_page(page)
        fi;
        unlock(page_table_lock)
    };
    SECTION {                                   // invalidate_range_end
        lock(mmu_lock);
        next_seq();
        STEP { mmu_notifier_count--; open_windows-- };
        unlock(mmu_lock)
    }
}

proctype notifier()
{
    byte hva, page;

    do
    ::  atomic { select (hva : 0 .. PAGES - 1) };
        if
        :: try_to_unmap(hva, page)
#ifdef RANGES
        :: zap_page_range(hva, page)
#endif
        fi;
        d_step { hva = 0; page = 0 }
    od
}

init
{
    atomic {
        for (n_ : 0 .. VCPUS - 1) { run vcpu(n_) }
        for (n_ : 1 .. NOTIFIERS) { run notifier() }
        n_ = 0
    }
}
