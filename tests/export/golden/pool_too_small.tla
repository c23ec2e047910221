---- MODULE pool_too_small ----
\* pool_too_small: two threads take a page each from a pool of one
\* Page = 1
\* Written by `kvmcheck export`; one step there is one step here.

EXTENDS Integers, TLC

CONSTANT unset  \* what a local holds that holds nothing

VARIABLES
  pages,
  Page_allocated,  \* Page allocated
  Page_dirty,  \* Page.dirty
  thread

vars == <<pages, Page_allocated, Page_dirty, thread>>

NULL_ == -1

Init ==
  /\ thread = [each \in 0..1 |-> [pc |-> "thread_start", result |-> unset, page |-> unset]]
  /\ pages = 0
  /\ Page_allocated = {}
  /\ Page_dirty = [at0 \in 0..0 |-> FALSE]

do_thread_start(thread_nr) ==
  /\ thread[thread_nr].pc = "thread_start"
  /\ \E any_Page \in 0..0 :
    \* pool_too_small.kvm:12: Page *page = zalloc Page;
    /\ IF Page_allocated = {0}
       THEN
          /\ Assert(FALSE, "no_out_of_bounds: Page = 1 was too small (line 12)")
       ELSE
          /\ (any_Page \notin Page_allocated)
          /\ Page_allocated' = Page_allocated \union {any_Page}
          /\ Page_dirty' = [Page_dirty EXCEPT ![any_Page] = FALSE]
          /\ thread' = [thread EXCEPT ![thread_nr].result = any_Page, ![thread_nr].page = any_Page, ![thread_nr].pc = "thread_take_14"]
          /\ UNCHANGED <<pages>>

do_thread_take_14(thread_nr) ==
  /\ thread[thread_nr].pc = "thread_take_14"
  \* pool_too_small.kvm:14: page->dirty = true;
  /\ IF thread[thread_nr].page = NULL_
     THEN
        /\ Assert(FALSE, "no_use_after_free: NULL is dereferenced (line 14)")
     ELSE
        /\ IF ~(thread[thread_nr].page < 1)
           THEN
              /\ Assert(FALSE, "no_use_after_free: a freed object is accessed (line 14)")
           ELSE
              /\ Page_dirty' = [Page_dirty EXCEPT ![IF thread[thread_nr].page < 1 THEN thread[thread_nr].page ELSE thread[thread_nr].page - 1] = TRUE]
              /\ thread' = [thread EXCEPT ![thread_nr].pc = "thread_take_15"]
              /\ UNCHANGED <<pages, Page_allocated>>

do_thread_take_15(thread_nr) ==
  /\ thread[thread_nr].pc = "thread_take_15"
  \* pool_too_small.kvm:15: atomic_inc(&pages);
  /\ IF 2 < (pages + 1)
     THEN
        /\ Assert(FALSE, "no_out_of_bounds: a number is outside 0..2 (line 15)")
     ELSE
        /\ pages' = pages + 1
        /\ thread' = [thread EXCEPT ![thread_nr].result = unset, ![thread_nr].page = unset, ![thread_nr].pc = "thread_end"]
        /\ UNCHANGED <<Page_allocated, Page_dirty>>

Next ==
  \/ \E thread_nr \in 0..1 : do_thread_start(thread_nr)
  \/ \E thread_nr \in 0..1 : do_thread_take_14(thread_nr)
  \/ \E thread_nr \in 0..1 : do_thread_take_15(thread_nr)

Spec == Init /\ [][Next]_vars

\* pool_too_small.kvm:18: invariant few_pages { pages <= 2 }
few_pages ==
  pages <= 2

====

pool_too_small.cfg, for `tlc -deadlock pool_too_small` (which turns off TLC's own idea of a deadlock):
SPECIFICATION Spec
CONSTANT unset = unset
INVARIANT few_pages
