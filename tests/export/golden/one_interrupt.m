-- one_interrupt: a process and its interrupt handler count in the same variable
-- Written by `kvmcheck export`; one step there is one step here.

type
  cpu_location: enum { cpu_start, cpu_count_one_14, cpu_count_one_14_2, cpu_count_one_on, cpu_count_one_off, cpu_line_24, cpu_end };
  cpu_handler_location: enum { cpu_handler_idle, cpu_handler_line_26, cpu_handler_line_27, cpu_handler_line_27_2 };
  device_location: enum { device_start, device_end };

var
  seen: 0..4;
  requests: 0..4;
  raised: boolean;
  cpu: record
    pc: cpu_location;
    rounds: 0..2;
    seen_read: 0..4;  -- of count_one
    handler_pc: cpu_handler_location;
    handler_seen_read: 0..4;
    irq_depth: 0..7;
  end;
  device: record
    pc: device_location;
  end;

-- At its end a body's locals hold nothing.
procedure forget_cpu();
begin
  undefine cpu.rounds;
  undefine cpu.seen_read;
end;

-- At its end a body's locals hold nothing.
procedure forget_cpu_handler();
begin
  undefine cpu.handler_seen_read;
end;

startstate
begin
  seen := 0;
  requests := 0;
  raised := false;
  cpu.pc := cpu_start;
  cpu.handler_pc := cpu_handler_idle;
  cpu.irq_depth := 0;
  device.pc := device_start;
end;

rule "cpu_start"
  (cpu.pc = cpu_start) & (cpu.handler_pc = cpu_handler_idle)
==>
begin
  -- 05_interrupts.kvm:23: repeat 2 { count_one(); }
  cpu.rounds := 0;
  -- 05_interrupts.kvm:13: @off irq_disable();
  cpu.irq_depth := cpu.irq_depth + 1;
  cpu.pc := cpu_count_one_14;
end;

rule "cpu_count_one_14"
  (cpu.pc = cpu_count_one_14) & (cpu.handler_pc = cpu_handler_idle)
==>
begin
  -- 05_interrupts.kvm:14: seen++;
  cpu.seen_read := seen;
  cpu.pc := cpu_count_one_14_2;
end;

rule "cpu_count_one_14_2"
  (cpu.pc = cpu_count_one_14_2) & (cpu.handler_pc = cpu_handler_idle)
==>
begin
  -- 05_interrupts.kvm:14: seen++;
  if 4 < (cpu.seen_read + 1) then
    error "no_out_of_bounds: a number is outside 0..4 (specs/basics/05_interrupts.kvm:14)";
  else
    seen := cpu.seen_read + 1;
    -- 05_interrupts.kvm:15: ghost requests = requests + 1;
    if 4 < (requests + 1) then
      error "no_out_of_bounds: a number is outside 0..4 (specs/basics/05_interrupts.kvm:15)";
    else
      requests := requests + 1;
      cpu.pc := cpu_count_one_on;
    end;
  end;
end;

rule "cpu_count_one_on"
  (cpu.pc = cpu_count_one_on) & (cpu.handler_pc = cpu_handler_idle)
==>
begin
  -- 05_interrupts.kvm:16: @on irq_enable();
  if cpu.irq_depth = 0 then
    error "no_lock_misuse: interrupts are enabled, but were not disabled (specs/basics/05_interrupts.kvm:16)";
  else
    cpu.irq_depth := cpu.irq_depth - 1;
    -- 05_interrupts.kvm:23: repeat 2 { count_one(); }
    cpu.rounds := cpu.rounds + 1;
    if cpu.rounds < 2 then
      cpu.pc := cpu_count_one_off;
    else
      cpu.pc := cpu_line_24;
    end;
  end;
end;

rule "cpu_count_one_off"
  (cpu.pc = cpu_count_one_off) & (cpu.handler_pc = cpu_handler_idle)
==>
begin
  -- 05_interrupts.kvm:13: @off irq_disable();
  cpu.irq_depth := cpu.irq_depth + 1;
  cpu.pc := cpu_count_one_14;
end;

rule "cpu_line_24"
  (cpu.pc = cpu_line_24) & (cpu.handler_pc = cpu_handler_idle) & !raised
==>
begin
  -- 05_interrupts.kvm:24: await (!READ_ONCE(raised)); // the handler has run
  forget_cpu();
  cpu.pc := cpu_end;
end;

rule "cpu_handler_start"
  (cpu.handler_pc = cpu_handler_idle) & (cpu.pc != cpu_end) & (cpu.irq_depth = 0) & raised
==>
begin
  -- 05_interrupts.kvm:25: } interrupt (raised) {
  cpu.handler_pc := cpu_handler_line_26;
end;

rule "cpu_handler_line_26"
  cpu.handler_pc = cpu_handler_line_26
==>
begin
  -- 05_interrupts.kvm:26: raised = false;
  raised := false;
  cpu.handler_pc := cpu_handler_line_27;
end;

rule "cpu_handler_line_27"
  cpu.handler_pc = cpu_handler_line_27
==>
begin
  -- 05_interrupts.kvm:27: seen++;
  cpu.handler_seen_read := seen;
  cpu.handler_pc := cpu_handler_line_27_2;
end;

rule "cpu_handler_line_27_2"
  cpu.handler_pc = cpu_handler_line_27_2
==>
begin
  -- 05_interrupts.kvm:27: seen++;
  if 4 < (cpu.handler_seen_read + 1) then
    error "no_out_of_bounds: a number is outside 0..4 (specs/basics/05_interrupts.kvm:27)";
  else
    seen := cpu.handler_seen_read + 1;
    -- 05_interrupts.kvm:28: ghost requests = requests + 1;
    if 4 < (requests + 1) then
      error "no_out_of_bounds: a number is outside 0..4 (specs/basics/05_interrupts.kvm:28)";
    else
      requests := requests + 1;
      forget_cpu_handler();
      cpu.handler_pc := cpu_handler_idle;
    end;
  end;
end;

rule "device_start"
  device.pc = device_start
==>
begin
  -- 05_interrupts.kvm:30: process device { raised = true; }
  raised := true;
  device.pc := device_end;
end;

-- 05_interrupts.kvm:19: invariant none_is_lost { seen == requests }
invariant "none_is_lost"
  requests = seen;

function cpu_can_step(): boolean;
begin
  return ((cpu.pc = cpu_start) & (cpu.handler_pc = cpu_handler_idle)) | ((cpu.pc = cpu_count_one_14) & (cpu.handler_pc = cpu_handler_idle)) | ((cpu.pc = cpu_count_one_14_2) & (cpu.handler_pc = cpu_handler_idle)) | ((cpu.pc = cpu_count_one_on) & (cpu.handler_pc = cpu_handler_idle)) | ((cpu.pc = cpu_count_one_off) & (cpu.handler_pc = cpu_handler_idle)) | ((cpu.pc = cpu_line_24) & (cpu.handler_pc = cpu_handler_idle) & !raised) | ((cpu.handler_pc = cpu_handler_idle) & (cpu.pc != cpu_end) & (cpu.irq_depth = 0) & raised) | (cpu.handler_pc = cpu_handler_line_26) | (cpu.handler_pc = cpu_handler_line_27) | (cpu.handler_pc = cpu_handler_line_27_2);
end;

function cpu_has_to_wait(): boolean;
begin
  return (cpu.pc = cpu_line_24) & (cpu.handler_pc = cpu_handler_idle) & raised;
end;

function device_can_step(): boolean;
begin
  return device.pc = device_start;
end;

invariant "no_deadlock"
  !((cpu_has_to_wait()) & !(cpu_can_step() | device_can_step()));

-- 05_interrupts.kvm:36: cover all_counted { seen == 3 }
cover "all_counted"
  seen = 3;

