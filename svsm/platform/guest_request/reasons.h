// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of guest requests: why no attestation report could be had.
#pragma once

#include "base/reasons.h"

#define FORELOCK_GUEST_REQUEST_REASONS(X)                                      \
  X(kVmpckGone, 'S', 'R', 1, "VMPCK0 is destroyed or was never there",         \
    "An earlier guest request failed; see the reason printed before.")         \
  X(kFirmwareBusy, 'S', 'R', 2,                                                \
    "the secure processor stayed busy until the deadline",                     \
    "Boot again later, or raise deadlines.secure_processor_ms.")               \
  X(kHostRefused, 'S', 'R', 3, "the host refused the guest request",           \
    "See the host's log; the VMM does not support this request.")              \
  X(kFirmwareError, 'S', 'R', 4,                                               \
    "the secure processor answered with a firmware error",                     \
    "See the host's log for the error code; the key may be used up.")          \
  X(kResponseMissing, 'S', 'R', 5,                                             \
    "the host reported success but left the response page empty",              \
    "The host is broken or hostile.")                                          \
  X(kResponseWrongSequence, 'S', 'R', 6,                                       \
    "the secure processor's answer has a wrong sequence number",               \
    "The host replayed an old answer, or reordered requests.")                 \
  X(kResponseWrongMessage, 'S', 'R', 7,                                        \
    "the secure processor's answer is another kind of message",                \
    "The host is broken or hostile, or the firmware is too new.")              \
  X(kResponseForged, 'S', 'R', 8,                                              \
    "the secure processor's answer fails authentication",                      \
    "The host changed the answer, or it is not from this VM's key.")           \
  X(kReportRefused, 'S', 'R', 9,                                               \
    "the secure processor refused to make a report",                           \
    "The VM was launched in a way that the firmware does not report on.")      \
  X(kReportOtherData, 'S', 'R', 10,                                            \
    "the attestation report is over other report data than asked for",         \
    "The firmware is broken; this report proves nothing.")                     \
  X(kReportOtherVmpl, 'S', 'R', 11,                                            \
    "the attestation report is for another VMPL than asked for",               \
    "The firmware is broken; this report proves nothing.")                     \
  X(kSequenceExhausted, 'S', 'R', 12, "VMPCK0's sequence numbers are used up", \
    "Restart the VM: each start has a new key.")

namespace svsm {
FORELOCK_GUEST_REQUEST_REASONS(BASE_DEFINE_REASON)
}  // namespace svsm
