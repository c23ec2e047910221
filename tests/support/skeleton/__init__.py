# SPDX-License-Identifier: GPL-2.0-only
"""The skeleton of a function: what it does in order, as far as locks, counters, calls and jumps go.

The same vocabulary is drawn from kernel C (a patch) and from the model (its syntax tree), so that the two can be held
against each other.  A skeleton is a list of events, each a short text:

| event | what it stands for |
| --- | --- |
| `spin_lock mmu_lock`, `up_read mmap_sem` … | a lock taken or given back, by the last name of what is locked |
| `read mmu_notifier_seq`, `write mmu_notifier_count` | an access to one of the two counters; `x++` reads and writes |
| `call f` | a call, after what its arguments do; `BUG_ON` and the like count as calls |
| `pass f` | a function handed to another one as an argument |
| `loop`, `end loop`, `break`, `continue` | a loop begins, ends, is left, goes round |
| `label l`, `goto l` | as in C |
| `return`, `return 0` | the way out, with the value where that is a literal number |

Conditions and plain data are left out: they are in the model for a reader to compare.

`python -m tests.support.skeleton PATCH` prints the facts of a patch, as tests/model/patch_facts.toml holds them.
`python -m tests.support.skeleton --differences` prints how the model differs now, for tests/model/correspondence.toml.
"""
