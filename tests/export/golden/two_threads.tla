---- MODULE two_threads ----
\* two_threads: two threads count up once each
\* Written by `kvmcheck export`; one step there is one step here.

EXTENDS Integers, TLC

CONSTANT unset  \* what a local holds that holds nothing

VARIABLES
  counter,
  increments,
  thread

vars == <<counter, increments, thread>>

Init ==
  /\ thread = [each \in 0..1 |-> [pc |-> "thread_count_up_add"]]
  /\ counter = 0
  /\ increments = 0

do_thread_count_up_add(thread_nr) ==
  /\ thread[thread_nr].pc = "thread_count_up_add"
  \* 01_counter.kvm:13: @add atomic_inc(&counter); // one step
  /\ IF 2 < (counter + 1)
     THEN
        /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..2 (line 13)")
     ELSE
        \* 01_counter.kvm:14: ghost increments = increments + 1; // belongs to the step before it
        /\ IF 2 < (increments + 1)
           THEN
              /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..2 (line 14)")
           ELSE
              /\ counter' = counter + 1
              /\ increments' = increments + 1
              /\ thread' = [thread EXCEPT ![thread_nr].pc = "thread_end"]

Next ==
  \/ \E thread_nr \in 0..1 : do_thread_count_up_add(thread_nr)

Spec == Init /\ [][Next]_vars

\* 01_counter.kvm:17: invariant none_is_lost { counter == increments }
none_is_lost ==
  increments = counter

====

two_threads.cfg, for `tlc -deadlock two_threads` (which turns off TLC's own idea of a deadlock):
SPECIFICATION Spec
CONSTANT unset = unset
INVARIANT none_is_lost
