/* verdict: limits blame the document, everything else the attempt.
 *
 * CPU time and file size do not depend on what else the machine does, so a job over them would be
 * over them again: PL_TOO_LARGE. Wall time does depend on it: PL_TIMED_OUT, to be tried again.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#include "workers/verdict.h"

#include "engine/base/text.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static pl_status verdict_cpu(const struct pl_worker_death *death, struct pl_fault *fault)
{
    return pl_fault_set(fault, PL_TOO_LARGE,
                        "the job used more than %.3g s of CPU time (limits.cpu_time)",
                        (double)death->cpu_ms / 1000);
}

static pl_status verdict_signal(const struct pl_worker_death *death, int signum,
                                struct pl_fault *fault)
{
    const char *name = sigabbrev_np(signum);
    switch (signum) {
    case SIGSYS:
        return pl_fault_set(fault, PL_WORKER_DIED,
                            "the worker was killed by its sandbox (SIGSYS): it tried a system call "
                            "that reading documents never needs");
    case SIGXCPU:
        return verdict_cpu(death, fault);
    case SIGXFSZ:
        return pl_fault_set(
            fault, PL_TOO_LARGE,
            "the result is larger than the limit of %llu bytes (limits.output_bytes)",
            (unsigned long long)death->file_bytes);
    case SIGKILL:
        return pl_fault_set(fault, PL_WORKER_DIED,
                            "the worker was killed from outside (SIGKILL), most likely because the "
                            "machine ran out of memory");
    default:
        return pl_fault_set(fault, PL_WORKER_DIED, "the worker crashed (SIG%s) on this document",
                            name == NULL ? "?" : name);
    }
}

pl_status pl_verdict(const struct pl_worker_death *death, struct pl_fault *fault)
{
    switch (death->end) {
    case PL_END_CANCELLED:
    case PL_END_RETIRED:
        return pl_fault_set(fault, PL_STOPPING,
                            "the job was ended because its result is no longer "
                            "wanted");
    case PL_END_STOPPING:
        return pl_fault_set(fault, PL_STOPPING, "the engine is stopping");
    case PL_END_WALL:
        return pl_fault_set(fault, PL_TIMED_OUT, "the job took longer than %.3g s and was ended",
                            (double)death->wall_ms / 1000);
    case PL_END_CPU:
        return verdict_cpu(death, fault);
    case PL_END_BROKE:
        return pl_fault_set(fault, PL_WORKER_DIED, "the worker was ended because %s", death->broke);
    case PL_END_SLOW:
        return pl_fault_set(fault, PL_WORKER_DIED, "the worker did not get ready");
    case PL_END_UNASKED:
        break;
    }
    if (WIFSIGNALED(death->wait_status))
        return verdict_signal(death, WTERMSIG(death->wait_status), fault);
    return pl_fault_set(fault, PL_WORKER_DIED,
                        "the worker ended in the middle of the job (exit "
                        "code %d)",
                        WEXITSTATUS(death->wait_status));
}

char *pl_verdict_status_text(int wait_status, char *out, size_t size)
{
    if (WIFSIGNALED(wait_status)) {
        const char *name = sigabbrev_np(WTERMSIG(wait_status));
        (void)pl_text_format(out, size, "SIG%s", name == NULL ? "?" : name);
    } else {
        (void)pl_text_format(out, size, "exit code %d", WEXITSTATUS(wait_status));
    }
    return out;
}
