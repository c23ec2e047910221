---- MODULE fault_in_miniature ----
\* fault_in_miniature: a fault races with an invalidation
\* Pfn = 2
\* Written by `kvmcheck export`; one step there is one step here.
\* Left out: no_data_race: whether two accesses meet is not carried.

EXTENDS Integers, TLC

CONSTANT unset  \* what a local holds that holds nothing

VARIABLES
  mmu_lock,
  spte,
  host_pte,
  mmu_notifier_seq,
  vcpu,
  host

vars == <<mmu_lock, spte, host_pte, mmu_notifier_seq, vcpu, host>>

none == -1
host_id == 2

Init ==
  /\ vcpu = [each \in 0..1 |-> [pc |-> "vcpu_start", mmu_seq |-> unset, pfn |-> unset, fault_mmu_notifier_seq_read |-> unset, host_pte_read |-> unset, fault_mmu_notifier_seq_read_2 |-> unset]]
  /\ host = [pc |-> "host_start", result |-> unset, mmu_notifier_seq_read |-> unset, chosen |-> unset]
  /\ mmu_lock = none
  /\ spte = none
  /\ host_pte = none
  /\ mmu_notifier_seq = 0

do_vcpu_start(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_start"
  \* 06_fault_in_miniature.kvm:14: seq mmu_seq;
  \* 06_fault_in_miniature.kvm:15: Pfn? pfn;
  \* 06_fault_in_miniature.kvm:17: @snapshot mmu_seq = READ_ONCE(mmu_notifier_seq);
  /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].pfn = unset, ![vcpu_nr].fault_mmu_notifier_seq_read = mmu_notifier_seq, ![vcpu_nr].mmu_seq = mmu_notifier_seq, ![vcpu_nr].pc = "vcpu_fault_lookup"]
  /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_lookup(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_lookup"
  \* 06_fault_in_miniature.kvm:18: @lookup pfn = READ_ONCE(host_pte);
  \* 06_fault_in_miniature.kvm:19: if (pfn == none)
  /\ IF host_pte = none
     THEN
        \* 06_fault_in_miniature.kvm:14: seq mmu_seq;
        \* 06_fault_in_miniature.kvm:15: Pfn? pfn;
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].host_pte_read = host_pte, ![vcpu_nr].mmu_seq = unset, ![vcpu_nr].pfn = unset, ![vcpu_nr].pc = "vcpu_fault_snapshot"]
        /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>
     ELSE
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].host_pte_read = host_pte, ![vcpu_nr].pfn = host_pte, ![vcpu_nr].pc = "vcpu_fault_21"]
        /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_snapshot(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_snapshot"
  \* 06_fault_in_miniature.kvm:17: @snapshot mmu_seq = READ_ONCE(mmu_notifier_seq);
  /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].fault_mmu_notifier_seq_read = mmu_notifier_seq, ![vcpu_nr].mmu_seq = mmu_notifier_seq, ![vcpu_nr].pc = "vcpu_fault_lookup"]
  /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_21(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_21"
  \* 06_fault_in_miniature.kvm:21: spin_lock(&mmu_lock);
  /\ IF vcpu_nr = mmu_lock
     THEN
        /\ Assert(FALSE, "no_lock_misuse: mmu_lock is taken by a thread that holds it (line 21)")
     ELSE
        /\ (mmu_lock = none)
        /\ mmu_lock' = vcpu_nr
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].pc = "vcpu_fault_retry"]
        /\ UNCHANGED <<spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_retry(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_retry"
  \* 06_fault_in_miniature.kvm:22: @retry if (mmu_notifier_seq != mmu_seq) {
  /\ IF vcpu_nr # mmu_lock
     THEN
        /\ Assert(FALSE, "no_data_race: mmu_notifier_seq is read without its guard and without a mark (line 22)")
     ELSE
        /\ IF mmu_notifier_seq # vcpu[vcpu_nr].mmu_seq
           THEN
              \* 06_fault_in_miniature.kvm:23: cover retry;
              /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].fault_mmu_notifier_seq_read_2 = mmu_notifier_seq, ![vcpu_nr].pc = "vcpu_fault_retry_2"]
              /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>
           ELSE
              /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].fault_mmu_notifier_seq_read_2 = mmu_notifier_seq, ![vcpu_nr].pc = "vcpu_fault_install"]
              /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_retry_2(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_retry_2"
  \* 06_fault_in_miniature.kvm:24: spin_unlock(&mmu_lock);
  /\ IF vcpu_nr # mmu_lock
     THEN
        /\ Assert(FALSE, "no_lock_misuse: mmu_lock is released, but not held so (line 24)")
     ELSE
        \* 06_fault_in_miniature.kvm:14: seq mmu_seq;
        \* 06_fault_in_miniature.kvm:15: Pfn? pfn;
        /\ mmu_lock' = none
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].mmu_seq = unset, ![vcpu_nr].pfn = unset, ![vcpu_nr].pc = "vcpu_fault_snapshot"]
        /\ UNCHANGED <<spte, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_install(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_install"
  \* 06_fault_in_miniature.kvm:27: @install spte = pfn;
  /\ IF vcpu_nr # mmu_lock
     THEN
        /\ Assert(FALSE, "no_unguarded_access: spte is written without its guard (line 27)")
     ELSE
        \* 06_fault_in_miniature.kvm:28: cover install;
        /\ spte' = vcpu[vcpu_nr].pfn
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].pc = "vcpu_fault_29"]
        /\ UNCHANGED <<mmu_lock, host_pte, mmu_notifier_seq, host>>

do_vcpu_fault_29(vcpu_nr) ==
  /\ vcpu[vcpu_nr].pc = "vcpu_fault_29"
  \* 06_fault_in_miniature.kvm:29: spin_unlock(&mmu_lock);
  /\ IF vcpu_nr # mmu_lock
     THEN
        /\ Assert(FALSE, "no_lock_misuse: mmu_lock is released, but not held so (line 29)")
     ELSE
        \* 06_fault_in_miniature.kvm:14: seq mmu_seq;
        \* 06_fault_in_miniature.kvm:15: Pfn? pfn;
        /\ mmu_lock' = none
        /\ vcpu' = [vcpu EXCEPT ![vcpu_nr].mmu_seq = unset, ![vcpu_nr].pfn = unset, ![vcpu_nr].pc = "vcpu_fault_snapshot"]
        /\ UNCHANGED <<spte, host_pte, mmu_notifier_seq, host>>

do_host_start ==
  /\ host.pc = "host_start"
  \* 06_fault_in_miniature.kvm:51: process host { forever { invalidate(); } }
  \* 06_fault_in_miniature.kvm:35: @clear WRITE_ONCE(host_pte, none);
  /\ host_pte' = none
  /\ host' = [host EXCEPT !.result = TRUE, !.pc = "host_invalidate_36"]
  /\ UNCHANGED <<mmu_lock, spte, mmu_notifier_seq, vcpu>>

do_host_invalidate_36 ==
  /\ host.pc = "host_invalidate_36"
  \* 06_fault_in_miniature.kvm:36: spin_lock(&mmu_lock);
  /\ IF mmu_lock = host_id
     THEN
        /\ Assert(FALSE, "no_lock_misuse: mmu_lock is taken by a thread that holds it (line 36)")
     ELSE
        /\ (mmu_lock = none)
        /\ mmu_lock' = host_id
        /\ host' = [host EXCEPT !.pc = "host_invalidate_seq"]
        /\ UNCHANGED <<spte, host_pte, mmu_notifier_seq, vcpu>>

do_host_invalidate_seq ==
  /\ host.pc = "host_invalidate_seq"
  \* 06_fault_in_miniature.kvm:37: @seq mmu_notifier_seq++;
  /\ IF mmu_lock # host_id
     THEN
        /\ Assert(FALSE, "no_data_race: mmu_notifier_seq is read without its guard and without a mark (line 37)")
     ELSE
        /\ host' = [host EXCEPT !.mmu_notifier_seq_read = mmu_notifier_seq, !.pc = "host_invalidate_seq_2"]
        /\ UNCHANGED <<mmu_lock, spte, host_pte, mmu_notifier_seq, vcpu>>

do_host_invalidate_seq_2 ==
  /\ host.pc = "host_invalidate_seq_2"
  \* 06_fault_in_miniature.kvm:37: @seq mmu_notifier_seq++;
  /\ IF mmu_lock # host_id
     THEN
        /\ Assert(FALSE, "no_unguarded_access: mmu_notifier_seq is written without its guard (line 37)")
     ELSE
        /\ IF (mmu_notifier_seq + 1) # (host.mmu_notifier_seq_read + 1)
           THEN
              /\ Assert(FALSE, "seq_lost_update: an increment of mmu_notifier_seq is lost (line 37)")
           ELSE
              /\ mmu_notifier_seq' = host.mmu_notifier_seq_read + 1
              /\ host' = [host EXCEPT !.pc = "host_invalidate_unmap"]
              /\ UNCHANGED <<mmu_lock, spte, host_pte, vcpu>>

do_host_invalidate_unmap ==
  /\ host.pc = "host_invalidate_unmap"
  \* 06_fault_in_miniature.kvm:38: @unmap spte = none;
  /\ IF mmu_lock # host_id
     THEN
        /\ Assert(FALSE, "no_unguarded_access: spte is written without its guard (line 38)")
     ELSE
        /\ spte' = none
        /\ host' = [host EXCEPT !.result = FALSE, !.pc = "host_invalidate_39"]
        /\ UNCHANGED <<mmu_lock, host_pte, mmu_notifier_seq, vcpu>>

do_host_invalidate_39 ==
  /\ host.pc = "host_invalidate_39"
  \* 06_fault_in_miniature.kvm:39: spin_unlock(&mmu_lock);
  /\ IF mmu_lock # host_id
     THEN
        /\ Assert(FALSE, "no_lock_misuse: mmu_lock is released, but not held so (line 39)")
     ELSE
        /\ mmu_lock' = none
        /\ host' = [host EXCEPT !.pc = "host_invalidate_again"]
        /\ UNCHANGED <<spte, host_pte, mmu_notifier_seq, vcpu>>

do_host_invalidate_again ==
  /\ host.pc = "host_invalidate_again"
  /\ \E any_Pfn \in 0..1 :
    \* 06_fault_in_miniature.kvm:40: @again WRITE_ONCE(host_pte, any Pfn);
    \* 06_fault_in_miniature.kvm:51: process host { forever { invalidate(); } }
    /\ host_pte' = any_Pfn
    /\ host' = [host EXCEPT !.chosen = any_Pfn, !.result = FALSE, !.pc = "host_invalidate_clear"]
    /\ UNCHANGED <<mmu_lock, spte, mmu_notifier_seq, vcpu>>

do_host_invalidate_clear ==
  /\ host.pc = "host_invalidate_clear"
  \* 06_fault_in_miniature.kvm:35: @clear WRITE_ONCE(host_pte, none);
  /\ host_pte' = none
  /\ host' = [host EXCEPT !.result = TRUE, !.pc = "host_invalidate_36"]
  /\ UNCHANGED <<mmu_lock, spte, mmu_notifier_seq, vcpu>>

Next ==
  \/ \E vcpu_nr \in 0..1 : do_vcpu_start(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_lookup(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_snapshot(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_21(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_retry(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_retry_2(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_install(vcpu_nr)
  \/ \E vcpu_nr \in 0..1 : do_vcpu_fault_29(vcpu_nr)
  \/ do_host_start
  \/ do_host_invalidate_36
  \/ do_host_invalidate_seq
  \/ do_host_invalidate_seq_2
  \/ do_host_invalidate_unmap
  \/ do_host_invalidate_39
  \/ do_host_invalidate_again
  \/ do_host_invalidate_clear

Spec == Init /\ [][Next]_vars

\* 06_fault_in_miniature.kvm:44: spte != none implies (spte == host_pte or exists (invalidate i) : i in @clear..@unmap)
no_stale_spte ==
  (spte = none) \/ (host_pte = spte) \/ (((host.pc = "host_start") \/ (host.pc = "host_invalidate_clear") \/ (host.pc = "host_invalidate_36") \/ (host.pc = "host_invalidate_seq") \/ (host.pc = "host_invalidate_seq_2") \/ (host.pc = "host_invalidate_unmap") \/ (host.pc = "host_invalidate_39") \/ (host.pc = "host_invalidate_again")) /\ ~(host.result = unset) /\ host.result)

vcpu_can_step(vcpu_nr) ==
  \/ vcpu[vcpu_nr].pc = "vcpu_start"
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_lookup"
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_snapshot"
  \/ (vcpu[vcpu_nr].pc = "vcpu_fault_21") /\ ((vcpu_nr = mmu_lock) \/ (mmu_lock = none))
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_retry"
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_retry_2"
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_install"
  \/ vcpu[vcpu_nr].pc = "vcpu_fault_29"

vcpu_has_to_wait(vcpu_nr) ==
  \/ (vcpu[vcpu_nr].pc = "vcpu_fault_21") /\ (vcpu_nr # mmu_lock) /\ (mmu_lock # none)

host_can_step ==
  \/ host.pc = "host_start"
  \/ (host.pc = "host_invalidate_36") /\ ((mmu_lock = host_id) \/ (mmu_lock = none))
  \/ host.pc = "host_invalidate_seq"
  \/ host.pc = "host_invalidate_seq_2"
  \/ host.pc = "host_invalidate_unmap"
  \/ host.pc = "host_invalidate_39"
  \/ host.pc = "host_invalidate_again"
  \/ host.pc = "host_invalidate_clear"

host_has_to_wait ==
  \/ (host.pc = "host_invalidate_36") /\ (mmu_lock # host_id) /\ (mmu_lock # none)

no_deadlock == ~(((\E vcpu_nr \in 0..1 : vcpu_has_to_wait(vcpu_nr)) \/ host_has_to_wait) /\ ~((\E vcpu_nr \in 0..1 : vcpu_can_step(vcpu_nr)) \/ host_can_step))

====

fault_in_miniature.cfg, for `tlc -deadlock fault_in_miniature` (which turns off TLC's own idea of a deadlock):
SPECIFICATION Spec
CONSTANT unset = unset
INVARIANT no_stale_spte
INVARIANT no_deadlock
