/* hostile_worker: the ways in which a worker double breaks the protocol.
 *
 * SPDX-License-Identifier: AGPL-3.0-or-later
 */
#ifndef PL_TESTS_SUPPORT_HOSTILE_WORKER_H
#define PL_TESTS_SUPPORT_HOSTILE_WORKER_H

enum hostile_way {
    HOSTILE_GARBAGE = 1,
    HOSTILE_LARGE,
    HOSTILE_DESCRIPTOR, /* hands a descriptor to the engine */
    HOSTILE_LENGTH,     /* claims a result that is not there */
    HOSTILE_LEDGER_SIZE,
    HOSTILE_LEDGER_FLOOD,
    HOSTILE_SECOND_HELLO,
    HOSTILE_HANG_UP,
    HOSTILE_NO_SANDBOX,
    HOSTILE_EARLY, /* reports before it has a job */
    HOSTILE_NO_DOCUMENT,
    HOSTILE_OPEN_SECOND, /* while the first is not whole */
    HOSTILE_OPEN_FAR,
    HOSTILE_OPEN_MANY, /* more than the run may have */
    HOSTILE_OTHER_DOCUMENT,
    HOSTILE_GROWING, /* writes on after it told of a document */
};

#endif
