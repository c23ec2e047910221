---- MODULE one_interrupt ----
\* one_interrupt: a process and its interrupt handler count in the same variable
\* Written by `kvmcheck export`; one step there is one step here.

EXTENDS Integers, TLC

CONSTANT unset  \* what a local holds that holds nothing

VARIABLES
  seen,
  requests,
  raised,
  cpu,
  device

vars == <<seen, requests, raised, cpu, device>>

Init ==
  /\ cpu = [pc |-> "cpu_start", rounds |-> unset, seen_read |-> unset, handler_pc |-> "cpu_handler_idle", handler_seen_read |-> unset, irq_depth |-> 0]
  /\ device = [pc |-> "device_start"]
  /\ seen = 0
  /\ requests = 0
  /\ raised = FALSE

do_cpu_start ==
  /\ (cpu.pc = "cpu_start") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:23: repeat 2 { count_one(); }
  \* 05_interrupts.kvm:13: @off irq_disable();
  /\ cpu' = [cpu EXCEPT !.rounds = 0, !.irq_depth = cpu.irq_depth + 1, !.pc = "cpu_count_one_14"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_count_one_14 ==
  /\ (cpu.pc = "cpu_count_one_14") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:14: seen++;
  /\ cpu' = [cpu EXCEPT !.seen_read = seen, !.pc = "cpu_count_one_14_2"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_count_one_14_2 ==
  /\ (cpu.pc = "cpu_count_one_14_2") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:14: seen++;
  /\ IF 4 < (cpu.seen_read + 1)
     THEN
        /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..4 (line 14)")
     ELSE
        \* 05_interrupts.kvm:15: ghost requests = requests + 1;
        /\ IF 4 < (requests + 1)
           THEN
              /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..4 (line 15)")
           ELSE
              /\ seen' = cpu.seen_read + 1
              /\ requests' = requests + 1
              /\ cpu' = [cpu EXCEPT !.pc = "cpu_count_one_on"]
              /\ UNCHANGED <<raised, device>>

do_cpu_count_one_on ==
  /\ (cpu.pc = "cpu_count_one_on") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:16: @on irq_enable();
  /\ IF cpu.irq_depth = 0
     THEN
        /\ Assert(FALSE, "no_lock_misuse: interrupts are enabled, but were not disabled (line 16)")
     ELSE
        \* 05_interrupts.kvm:23: repeat 2 { count_one(); }
        /\ IF (cpu.rounds + 1) < 2
           THEN
              /\ cpu' = [cpu EXCEPT !.irq_depth = cpu.irq_depth - 1, !.rounds = cpu.rounds + 1, !.pc = "cpu_count_one_off"]
              /\ UNCHANGED <<seen, requests, raised, device>>
           ELSE
              /\ cpu' = [cpu EXCEPT !.irq_depth = cpu.irq_depth - 1, !.rounds = cpu.rounds + 1, !.pc = "cpu_line_24"]
              /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_count_one_off ==
  /\ (cpu.pc = "cpu_count_one_off") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:13: @off irq_disable();
  /\ cpu' = [cpu EXCEPT !.irq_depth = cpu.irq_depth + 1, !.pc = "cpu_count_one_14"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_line_24 ==
  /\ (cpu.pc = "cpu_line_24") /\ (cpu.handler_pc = "cpu_handler_idle")
  \* 05_interrupts.kvm:24: await (!READ_ONCE(raised)); // the handler has run
  /\ ~raised
  /\ cpu' = [cpu EXCEPT !.rounds = unset, !.seen_read = unset, !.pc = "cpu_end"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_handler_start ==
  /\ (cpu.handler_pc = "cpu_handler_idle") /\ (cpu.pc # "cpu_end") /\ (cpu.irq_depth = 0)
  \* 05_interrupts.kvm:25: } interrupt (raised) {
  /\ raised
  /\ cpu' = [cpu EXCEPT !.handler_pc = "cpu_handler_line_26"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_handler_line_26 ==
  /\ cpu.handler_pc = "cpu_handler_line_26"
  \* 05_interrupts.kvm:26: raised = false;
  /\ raised' = FALSE
  /\ cpu' = [cpu EXCEPT !.handler_pc = "cpu_handler_line_27"]
  /\ UNCHANGED <<seen, requests, device>>

do_cpu_handler_line_27 ==
  /\ cpu.handler_pc = "cpu_handler_line_27"
  \* 05_interrupts.kvm:27: seen++;
  /\ cpu' = [cpu EXCEPT !.handler_seen_read = seen, !.handler_pc = "cpu_handler_line_27_2"]
  /\ UNCHANGED <<seen, requests, raised, device>>

do_cpu_handler_line_27_2 ==
  /\ cpu.handler_pc = "cpu_handler_line_27_2"
  \* 05_interrupts.kvm:27: seen++;
  /\ IF 4 < (cpu.handler_seen_read + 1)
     THEN
        /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..4 (line 27)")
     ELSE
        \* 05_interrupts.kvm:28: ghost requests = requests + 1;
        /\ IF 4 < (requests + 1)
           THEN
              /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..4 (line 28)")
           ELSE
              /\ seen' = cpu.handler_seen_read + 1
              /\ requests' = requests + 1
              /\ cpu' = [cpu EXCEPT !.handler_seen_read = unset, !.handler_pc = "cpu_handler_idle"]
              /\ UNCHANGED <<raised, device>>

do_device_start ==
  /\ device.pc = "device_start"
  \* 05_interrupts.kvm:30: process device { raised = true; }
  /\ raised' = TRUE
  /\ device' = [device EXCEPT !.pc = "device_end"]
  /\ UNCHANGED <<seen, requests, cpu>>

Next ==
  \/ do_cpu_start
  \/ do_cpu_count_one_14
  \/ do_cpu_count_one_14_2
  \/ do_cpu_count_one_on
  \/ do_cpu_count_one_off
  \/ do_cpu_line_24
  \/ do_cpu_handler_start
  \/ do_cpu_handler_line_26
  \/ do_cpu_handler_line_27
  \/ do_cpu_handler_line_27_2
  \/ do_device_start

Spec == Init /\ [][Next]_vars

\* 05_interrupts.kvm:19: invariant none_is_lost { seen == requests }
none_is_lost ==
  requests = seen

cpu_can_step ==
  \/ (cpu.pc = "cpu_start") /\ (cpu.handler_pc = "cpu_handler_idle")
  \/ (cpu.pc = "cpu_count_one_14") /\ (cpu.handler_pc = "cpu_handler_idle")
  \/ (cpu.pc = "cpu_count_one_14_2") /\ (cpu.handler_pc = "cpu_handler_idle")
  \/ (cpu.pc = "cpu_count_one_on") /\ (cpu.handler_pc = "cpu_handler_idle")
  \/ (cpu.pc = "cpu_count_one_off") /\ (cpu.handler_pc = "cpu_handler_idle")
  \/ (cpu.pc = "cpu_line_24") /\ (cpu.handler_pc = "cpu_handler_idle") /\ ~raised
  \/ (cpu.handler_pc = "cpu_handler_idle") /\ (cpu.pc # "cpu_end") /\ (cpu.irq_depth = 0) /\ raised
  \/ cpu.handler_pc = "cpu_handler_line_26"
  \/ cpu.handler_pc = "cpu_handler_line_27"
  \/ cpu.handler_pc = "cpu_handler_line_27_2"

cpu_has_to_wait ==
  \/ (cpu.pc = "cpu_line_24") /\ (cpu.handler_pc = "cpu_handler_idle") /\ raised

device_can_step ==
  \/ device.pc = "device_start"

no_deadlock == ~((cpu_has_to_wait) /\ ~(cpu_can_step \/ device_can_step))

====

one_interrupt.cfg, for `tlc -deadlock one_interrupt` (which turns off TLC's own idea of a deadlock):
SPECIFICATION Spec
CONSTANT unset = unset
INVARIANT none_is_lost
INVARIANT no_deadlock
