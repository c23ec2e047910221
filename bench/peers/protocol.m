-- SPDX-License-Identifier: GPL-2.0-only
--
-- KVM's page fault of 2008 against its MMU notifiers, written for Rumur by hand: what kvmcheck is measured beside.
-- bench/protocol.kvm is the same protocol, and protocol.pml the same in Promela.  Here all is as one would write it in Murphi:
--
--   - a rule is all that is done under a lock without waiting for another;
--   - so mmu_lock is never seen held, and is left out; mmap_sem and flushes are left out as in protocol.pml;
--   - whatever can be exchanged is a scalarset, and what holds nothing is undefined;
--   - the sequence is a bit for each vcpu, "it has changed since your snapshot".
--
-- The numbers are set by whoever runs it.  RANGES: notifiers take single pages and ranges in turn, not only single pages.
-- NO_RETRY, a mutant: the fault does not ask whether something was invalidated meanwhile.

const
  VCPUS: 1;
  PAGES: 1;       -- frames of the guest and pages of the host are equally many
  NOTIFIERS: 1;
  RANGES: false;
  NO_RETRY: false;

type
  Vcpu: scalarset(VCPUS);
  Gfn: scalarset(PAGES);
  Page: scalarset(PAGES);
  Notifier: scalarset(NOTIFIERS);
  References: 0 .. VCPUS + 2 * PAGES;
  Fault: enum { OUTSIDE, LOOKUP, INSTALL, RELEASE };
  Host: enum { IDLE, NOTIFY, FREE, ZAP, RANGE_END };

var
  page_table_lock: boolean;
  pte: array[Gfn] of Page;                    -- what the host maps at an address
  spte: array[Gfn] of Page;                   -- what the guest's page table maps there
  rmap: array[Gfn] of boolean;                -- whether the reverse map names the entry
  page_count: array[Page] of References;
  mmu_notifier_count: 0 .. NOTIFIERS;
  vcpu: array[Vcpu] of record
    pc: Fault;
    stale: boolean;                           -- mmu_notifier_seq has changed since this vcpu read it
    gfn: Gfn;
    pfn: Page;
  end;
  notifier: array[Notifier] of record
    pc: Host;
    hva: Gfn;
    page: Page;
  end;

procedure next_seq();
begin
  for v: Vcpu do
    vcpu[v].stale := true;
  end;
end;

procedure put_page(page: Page);
begin
  page_count[page] := page_count[page] - 1;
end;

procedure unmap(gfn: Gfn);
begin
  if rmap[gfn] then
    put_page(spte[gfn]);
    rmap[gfn] := false;
    undefine spte[gfn];
  end;
end;

procedure mmu_set_spte(gfn: Gfn; pfn: Page);
begin
  if !isundefined(spte[gfn]) & spte[gfn] = pfn then
    put_page(pfn);
  else
    unmap(gfn);
    spte[gfn] := pfn;
    rmap[gfn] := true;
  end;
end;

procedure fault_ends(v: Vcpu);
begin
  vcpu[v].pc := OUTSIDE;
  undefine vcpu[v].gfn;
  undefine vcpu[v].pfn;
end;

procedure host_ends(n: Notifier);
begin
  notifier[n].pc := IDLE;
  undefine notifier[n].hva;
  undefine notifier[n].page;
end;

-- ------------------------------------------------------------------ the fault

ruleset v: Vcpu do alias fault: vcpu[v] do

  ruleset gfn: Gfn do
    rule "snapshot"
      fault.pc = OUTSIDE
    ==>
      fault.gfn := gfn;
      fault.stale := false;
      fault.pc := LOOKUP;
    end;
  end;

  rule "gfn_to_pfn"
    fault.pc = LOOKUP & !page_table_lock & !isundefined(pte[fault.gfn])
  ==>
    fault.pfn := pte[fault.gfn];
    page_count[fault.pfn] := page_count[fault.pfn] + 1;
    fault.pc := INSTALL;
  end;

  ruleset page: Page do
    rule "gfn_to_pfn, the first touch"
      fault.pc = LOOKUP & !page_table_lock & isundefined(pte[fault.gfn]) & page_count[page] = 0
    ==>
      pte[fault.gfn] := page;
      fault.pfn := page;
      page_count[page] := 2;
      fault.pc := INSTALL;
    end;
  end;

  rule "gfn_to_pfn, out of memory"
    fault.pc = LOOKUP & !page_table_lock & isundefined(pte[fault.gfn])
      & forall page: Page do page_count[page] != 0 end
  ==>
    fault_ends(v);
  end;

  rule "install"
    fault.pc = INSTALL
  ==>
    if !NO_RETRY & (mmu_notifier_count != 0 | fault.stale) then
      fault.pc := RELEASE;
    else
      mmu_set_spte(fault.gfn, fault.pfn);
      fault_ends(v);
    end;
  end;

  rule "release"
    fault.pc = RELEASE
  ==>
    put_page(fault.pfn);
    fault_ends(v);
  end;

end end;

-- ------------------------------------------------------------------ the host

ruleset n: Notifier do alias host: notifier[n] do

  ruleset hva: Gfn do
    rule "try_to_unmap"
      host.pc = IDLE & !page_table_lock & !isundefined(pte[hva])
    ==>
      page_table_lock := true;
      host.hva := hva;
      host.page := pte[hva];
      undefine pte[hva];
      host.pc := NOTIFY;
    end;
  end;

  rule "invalidate_page"
    host.pc = NOTIFY
  ==>
    next_seq();
    unmap(host.hva);
    host.pc := FREE;
  end;

  rule "free"
    host.pc = FREE
  ==>
    put_page(host.page);
    page_table_lock := false;
    host_ends(n);
  end;

  ruleset hva: Gfn do
    rule "invalidate_range_start"
      RANGES & host.pc = IDLE
    ==>
      host.hva := hva;
      mmu_notifier_count := mmu_notifier_count + 1;
      unmap(hva);
      host.pc := ZAP;
    end;
  end;

  rule "zap_pte_range"
    host.pc = ZAP & !page_table_lock
  ==>
    if !isundefined(pte[host.hva]) then
      put_page(pte[host.hva]);
      undefine pte[host.hva];
    end;
    host.pc := RANGE_END;
  end;

  rule "invalidate_range_end"
    host.pc = RANGE_END
  ==>
    next_seq();
    mmu_notifier_count := mmu_notifier_count - 1;
    host_ends(n);
  end;

end end;

startstate
begin
  page_table_lock := false;
  mmu_notifier_count := 0;
  for g: Gfn do
    rmap[g] := false;
  end;
  for p: Page do
    page_count[p] := 0;
  end;
  for v: Vcpu do
    vcpu[v].pc := OUTSIDE;
    vcpu[v].stale := true;
  end;
  for n: Notifier do
    notifier[n].pc := IDLE;
  end;
end;

-- ------------------------------------------------------------------ what must be true

function being_invalidated(gfn: Gfn): boolean;
begin
  return exists n: Notifier do notifier[n].pc = NOTIFY & notifier[n].hva = gfn end;
end;

function references(page: Page): References;
var sum: References;
begin
  sum := 0;
  for g: Gfn do
    if !isundefined(pte[g]) & pte[g] = page then sum := sum + 1; end;
    if !isundefined(spte[g]) & spte[g] = page then sum := sum + 1; end;
  end;
  for v: Vcpu do
    if !isundefined(vcpu[v].pfn) & vcpu[v].pfn = page then sum := sum + 1; end;
  end;
  return sum;
end;

function windows(): 0 .. NOTIFIERS;
var sum: 0 .. NOTIFIERS;
begin
  sum := 0;
  for n: Notifier do
    if notifier[n].pc = ZAP | notifier[n].pc = RANGE_END then sum := sum + 1; end;
  end;
  return sum;
end;

invariant "no_stale_spte"
  forall g: Gfn do
    isundefined(spte[g]) | being_invalidated(g) | (!isundefined(pte[g]) & pte[g] = spte[g])
  end;

invariant "pins_balanced"
  page_table_lock | forall p: Page do page_count[p] = references(p) end;

invariant "rmap_matches_sptes"
  forall g: Gfn do rmap[g] = !isundefined(spte[g]) end;

invariant "count_matches_windows"
  mmu_notifier_count = windows();
