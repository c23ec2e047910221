-- two_threads: two threads count up once each
-- Written by `kvmcheck export`; one step there is one step here.

type
  thread_location: enum { thread_count_up_add, thread_end };

var
  counter: 0..2;
  increments: 0..2;
  thread: array [0..1] of record
    pc: thread_location;
  end;

startstate
begin
  counter := 0;
  increments := 0;
  for each: 0..1 do
    thread[each].pc := thread_count_up_add;
  end;
end;

ruleset thread_nr: 0..1 do
rule "thread_count_up_add"
  thread[thread_nr].pc = thread_count_up_add
==>
begin
  -- 01_counter.kvm:13: @add atomic_inc(&counter); // one step
  if 2 < (counter + 1) then
    error "no_out_of_bounds: a number is outside 0..2 (specs/basics/01_counter.kvm:13)";
  else
    counter := counter + 1;
    -- 01_counter.kvm:14: ghost increments = increments + 1; // belongs to the step before it
    if 2 < (increments + 1) then
      error "no_out_of_bounds: a number is outside 0..2 (specs/basics/01_counter.kvm:14)";
    else
      increments := increments + 1;
      thread[thread_nr].pc := thread_end;
    end;
  end;
end;
end;

-- 01_counter.kvm:17: invariant none_is_lost { counter == increments }
invariant "none_is_lost"
  increments = counter;

-- 01_counter.kvm:26: cover both_done { counter == 2 }
cover "both_done"
  counter = 2;

