/*
 * Ctrl-C, and whoever else asks the program to end: SIGINT, SIGTERM and SIGHUP. This is the one place that decides what they do
 * in a command that has something to put in order first. Other commands end at once, as the system has it.
 *
 *         interrupt_catch(say, data);          // main(), for a command whose table says so
 *         interrupt_next("machine up %s", …);  // the command: what goes on from where it was stopped
 *
 * The first signal calls `say` and makes interrupt_pending() true. From then on process_run() ends its program with the whole
 * process group and starts no other, and what waits for a lock, a guest or an answer ends with ERROR_INTERRUPTED. So the
 * command fails by the way on which it would fail anyway, which tidies up. What has to run programs for that does so between
 * interrupt_hold() and interrupt_go_on(). The second signal kills the program that runs, with its group, and ends this one.
 *
 * A thread waits for the signals, so `say` may do what a signal handler may not. Signals that were ignored when the program was
 * started stay ignored (nohup(1), a shell's background jobs).
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* `say` is called once, in a thread of its own; NULL = nothing is said. Fails when a thread or a pipe can't be made. */
int interrupt_catch(void (*say)(void *data), void *data, struct error **err);
/* `say` is not called any more when this returns. */
void interrupt_mute(void);
bool interrupt_is_caught(void);

/* Was the program asked to end? Not between interrupt_hold() and interrupt_go_on(). */
bool interrupt_pending(void);
/* Fails with ERROR_INTERRUPTED when the program was asked to end. */
int interrupt_check(struct error **err);
/* For poll(2), with POLLIN: can be read from once the program was asked to end. -1, which poll(2) passes over, when signals are
 * not caught, or between interrupt_hold() and interrupt_go_on(). */
int interrupt_fd(void);

/* What is done in between is not interrupted: it tidies up. They nest. For the main thread. */
void interrupt_hold(void);
void interrupt_go_on(void);

/* The command that goes on from where this one is stopped. */
void interrupt_next(const char *format, ...) _printf_(1, 2);
/* The same for a command that can't go on: what to type then, as the whole hint. */
void interrupt_advise(const char *format, ...) _printf_(1, 2);
/* Puts what happened in place of the error, with that command, or that advice, as its hint. Returns -1. */
int interrupt_report(struct error **err);

/* A child in a process group of its own, which the second signal kills; forgotten before the child is reaped. For
 * process-run.c. */
void interrupt_add_group(pid_t group);
void interrupt_forget_group(pid_t group);
