// two_threads: two threads count up once each
// Written by `kvmcheck export`; one step there is one step here.

#define thread_count_up_add 0
#define thread_end 1

#define unset (-2)

bool started;  // false in SPIN's first state, which is before `init`
byte counter;
byte increments;
typedef thread_record {
  byte pc
}
thread_record thread[2];

proctype thread_thread(byte thread_nr) {
end:
  do
  :: d_step { thread[thread_nr].pc == thread_count_up_add ->
    if
    :: (2 < (counter + 1)) || (2 < (increments + 1)) -> assert(false)
    :: else ->
      // 01_counter.kvm:13: @add atomic_inc(&counter); // one step
      counter = counter + 1;
      // 01_counter.kvm:14: ghost increments = increments + 1; // belongs to the step before it
      increments = increments + 1;
      thread[thread_nr].pc = thread_end
    fi
  }
  od
}

init {
  atomic {
    started = true;
    run thread_thread(0);
    run thread_thread(1)
  }
}

// 01_counter.kvm:17: invariant none_is_lost { counter == increments }
#define none_is_lost_holds (increments == counter)
never none_is_lost {  // ends where it does not hold
  do
  :: started && !none_is_lost_holds -> break
  :: else
  od
}

