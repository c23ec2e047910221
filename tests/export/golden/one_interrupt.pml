// one_interrupt: a process and its interrupt handler count in the same variable
// Written by `kvmcheck export`; one step there is one step here.

#define cpu_start 0
#define cpu_count_one_14 1
#define cpu_count_one_14_2 2
#define cpu_count_one_on 3
#define cpu_count_one_off 4
#define cpu_line_24 5
#define cpu_end 6

#define cpu_handler_idle 0
#define cpu_handler_line_26 1
#define cpu_handler_line_27 2
#define cpu_handler_line_27_2 3

#define device_start 0
#define device_end 1

#define unset (-2)

bool started;  // false in SPIN's first state, which is before `init`
byte seen;
byte requests;
bool raised;
typedef cpu_record {
  byte pc;
  short rounds;
  short seen_read;
  byte handler_pc;
  short handler_seen_read;
  byte irq_depth
}
cpu_record cpu;
typedef device_record {
  byte pc
}
device_record device;

// At its end a body's locals hold nothing.
inline forget_cpu() {
  cpu.rounds = unset;
  cpu.seen_read = unset
}

// At its end a body's locals hold nothing.
inline forget_cpu_handler() {
  cpu.handler_seen_read = unset
}

proctype cpu_thread() {
end:
  do
  :: d_step { (cpu.pc == cpu_start) && (cpu.handler_pc == cpu_handler_idle) ->
    // 05_interrupts.kvm:23: repeat 2 { count_one(); }
    cpu.rounds = 0;
    // 05_interrupts.kvm:13: @off irq_disable();
    cpu.irq_depth = cpu.irq_depth + 1;
    cpu.pc = cpu_count_one_14
  }
  :: d_step { (cpu.pc == cpu_count_one_14) && (cpu.handler_pc == cpu_handler_idle) ->
    // 05_interrupts.kvm:14: seen++;
    cpu.seen_read = seen;
    cpu.pc = cpu_count_one_14_2
  }
  :: d_step { (cpu.pc == cpu_count_one_14_2) && (cpu.handler_pc == cpu_handler_idle) ->
    if
    :: (4 < (cpu.seen_read + 1)) || (4 < (requests + 1)) -> assert(false)
    :: else ->
      // 05_interrupts.kvm:14: seen++;
      seen = cpu.seen_read + 1;
      // 05_interrupts.kvm:15: ghost requests = requests + 1;
      requests = requests + 1;
      cpu.pc = cpu_count_one_on
    fi
  }
  :: d_step { (cpu.pc == cpu_count_one_on) && (cpu.handler_pc == cpu_handler_idle) ->
    // 05_interrupts.kvm:16: @on irq_enable();
    if
    :: cpu.irq_depth == 0 ->
      // no_lock_misuse  interrupts are enabled, but were not disabled (16)
      assert(false)
    :: else ->
      cpu.irq_depth = cpu.irq_depth - 1;
      // 05_interrupts.kvm:23: repeat 2 { count_one(); }
      cpu.rounds = cpu.rounds + 1;
      if
      :: cpu.rounds < 2 ->
        cpu.pc = cpu_count_one_off
      :: else ->
        cpu.pc = cpu_line_24
      fi
    fi
  }
  :: d_step { (cpu.pc == cpu_count_one_off) && (cpu.handler_pc == cpu_handler_idle) ->
    // 05_interrupts.kvm:13: @off irq_disable();
    cpu.irq_depth = cpu.irq_depth + 1;
    cpu.pc = cpu_count_one_14
  }
  :: d_step { (cpu.pc == cpu_line_24) && (cpu.handler_pc == cpu_handler_idle) && !raised ->
    // 05_interrupts.kvm:24: await (!READ_ONCE(raised)); // the handler has run
    forget_cpu();
    cpu.pc = cpu_end
  }
  :: d_step { (cpu.handler_pc == cpu_handler_idle) && (cpu.pc != cpu_end) && (cpu.irq_depth == 0) && raised ->
    // 05_interrupts.kvm:25: } interrupt (raised) {
    cpu.handler_pc = cpu_handler_line_26
  }
  :: d_step { cpu.handler_pc == cpu_handler_line_26 ->
    // 05_interrupts.kvm:26: raised = false;
    raised = false;
    cpu.handler_pc = cpu_handler_line_27
  }
  :: d_step { cpu.handler_pc == cpu_handler_line_27 ->
    // 05_interrupts.kvm:27: seen++;
    cpu.handler_seen_read = seen;
    cpu.handler_pc = cpu_handler_line_27_2
  }
  :: d_step { cpu.handler_pc == cpu_handler_line_27_2 ->
    if
    :: (4 < (cpu.handler_seen_read + 1)) || (4 < (requests + 1)) -> assert(false)
    :: else ->
      // 05_interrupts.kvm:27: seen++;
      seen = cpu.handler_seen_read + 1;
      // 05_interrupts.kvm:28: ghost requests = requests + 1;
      requests = requests + 1;
      forget_cpu_handler();
      cpu.handler_pc = cpu_handler_idle
    fi
  }
  od
}

proctype device_thread() {
end:
  do
  :: d_step { device.pc == device_start ->
    // 05_interrupts.kvm:30: process device { raised = true; }
    raised = true;
    device.pc = device_end
  }
  od
}

init {
  atomic {
    forget_cpu();
    forget_cpu_handler();
    started = true;
    run cpu_thread();
    run device_thread()
  }
}

// 05_interrupts.kvm:19: invariant none_is_lost { seen == requests }
#define none_is_lost_holds (requests == seen)
never none_is_lost {  // ends where it does not hold
  do
  :: started && !none_is_lost_holds -> break
  :: else
  od
}

// 05_interrupts.kvm:21: scenario one_interrupt "a process and its interrupt handler count in the same variable" {
#define no_deadlock_holds (!((cpu.pc == cpu_line_24) && (cpu.handler_pc == cpu_handler_idle) && raised && !(((cpu.pc == cpu_start) && (cpu.handler_pc == cpu_handler_idle)) || ((cpu.pc == cpu_count_one_14) && (cpu.handler_pc == cpu_handler_idle)) || ((cpu.pc == cpu_count_one_14_2) && (cpu.handler_pc == cpu_handler_idle)) || ((cpu.pc == cpu_count_one_on) && (cpu.handler_pc == cpu_handler_idle)) || ((cpu.pc == cpu_count_one_off) && (cpu.handler_pc == cpu_handler_idle)) || ((cpu.pc == cpu_line_24) && (cpu.handler_pc == cpu_handler_idle) && !raised) || ((cpu.handler_pc == cpu_handler_idle) && (cpu.pc != cpu_end) && (cpu.irq_depth == 0) && raised) || (cpu.handler_pc == cpu_handler_line_26) || (cpu.handler_pc == cpu_handler_line_27) || (cpu.handler_pc == cpu_handler_line_27_2) || (device.pc == device_start))))
never no_deadlock {  // ends where it does not hold
  do
  :: started && !no_deadlock_holds -> break
  :: else
  od
}

