/* Puts a project's configuration into a VM's record. Pure: nothing is read or written but the arguments. */
#pragma once

#include "config/project.h"
#include "guest/commits.h"
#include "vm/vm.h"

/* A record for a copy of the VM `from`: another name and identity, and no ports, since a port of this computer is one VM's. */
void describe_fork(struct vm_record *record, const struct vm_record *from, const char *name);
/* Fills in a new VM's record: a new uuid, made now, for the user who runs this. */
void describe_record(struct vm_record *record, const struct project *project, const char *name, const char *engine);
/* Takes over what an existing VM can follow without being made anew: repos, ports, keys, network. */
void describe_changes(struct vm_record *record, const struct project *project);
/* Takes over what a stopped VM gets at its next start: processors, memory, and a larger disk where its engine can grow one. */
void describe_sizes(struct vm_record *record, const struct project *project, const struct engine *engine);
/* Takes over the project's rules, with the hosts that the guest's package clients named. */
void describe_rules(struct vm_record *record, const struct project *project);
/* Takes over the keys that commits and repos need. */
void describe_needs(struct vm_record *record, const struct commits *commits);
