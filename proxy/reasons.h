// SPDX-License-Identifier: Apache-2.0
//
// Reasons of proxy/: the channel between a guest and the daemon beside QEMU.
#pragma once

#include "base/reasons.h"

#define FORELOCK_PROXY_REASONS(X)                                              \
  X(kFrameBadMagic, 'P', 'C', 1, "a frame header has a wrong magic",           \
    "The peer does not speak the proxy channel; check its version.")           \
  X(kFrameBadChecksum, 'P', 'C', 2, "a frame header has a wrong checksum",     \
    "The peer is broken or hostile; the session was ended.")                   \
  X(kFrameTooLong, 'P', 'C', 3, "a frame is longer than 16 KiB",               \
    "The peer is broken or hostile; the session was ended.")                   \
  X(kProxyAbsent, 'P', 'C', 4, "the proxy does not answer",                    \
    "Is the daemon running, is its socket the one QEMU connects to, is guest " \
    "RAM a file with share=on, and may the daemon open it? See its log.")      \
  X(kProxyRestarted, 'P', 'C', 5, "the proxy was restarted",                   \
    "The attestation under way is lost; boot again, see the daemon's log.")    \
  X(kRingIndexWild, 'P', 'C', 6, "a ring index is out of range",               \
    "The peer is broken or hostile; the session was ended.")                   \
  X(kEndpointUnknown, 'P', 'C', 7, "the proxy does not know the endpoint",     \
    "Name it under [vm.endpoints] in the proxy's configuration.")              \
  X(kEndpointUnreachable, 'P', 'C', 8,                                         \
    "the proxy cannot connect to the endpoint",                                \
    "See the proxy's log: name resolution, connection or its deadline.")       \
  X(kTooManyStreams, 'P', 'C', 9, "the proxy allows no more streams",          \
    "A bug in the guest; report it.")                                          \
  X(kProxyShuttingDown, 'P', 'C', 10, "the proxy is shutting down",            \
    "Boot again when the daemon is back.")                                     \
  X(kUnexpectedMessage, 'P', 'C', 11, "a message came that has no place here", \
    "The peer is broken or hostile; the session was ended.")                   \
  X(kCreditExceeded, 'P', 'C', 12, "the peer sent more than its credit",       \
    "The peer is broken or hostile; the session was ended.")                   \
  X(kNoCommonVersion, 'P', 'C', 13,                                            \
    "guest and proxy share no version of the channel",                         \
    "Update the older one.")                                                   \
  X(kSendBusy, 'P', 'C', 14, "the channel has no room for a frame yet",        \
    "The peer does not read; see its log.")                                    \
  X(kFrameBadFlags, 'P', 'C', 15,                                              \
    "a frame header has an unknown version or flags",                          \
    "The peer is newer, broken or hostile; the session was ended.")            \
  X(kFrameUnknownType, 'P', 'C', 16, "a frame has an unknown type",            \
    "The peer is newer, broken or hostile; the session was ended.")            \
  X(kNotConnected, 'P', 'C', 17, "the channel is not open",                    \
    "A bug in the caller; report it.")                                         \
  X(kNoDoorbell, 'P', 'C', 18, "there is no doorbell device at the port",      \
    "Give QEMU -device isa-debugcon with this iobase and readback.")           \
  X(kSharedRangeInvalid, 'P', 'C', 19,                                         \
    "a shared range is unaligned, too small or out of reach",                  \
    "A bug in the guest, or a hostile one; report it.")                        \
  X(kStreamReset, 'P', 'C', 20, "the connection behind a stream broke",        \
    "See the proxy's log and the verifier's log.")                             \
  X(kRegistrationMalformed, 'P', 'C', 21,                                      \
    "a registration has an unknown version or flags",                          \
    "The guest is newer, broken or hostile; nothing was mapped.")              \
  X(kRangeOutsideRam, 'P', 'C', 22,                                            \
    "a registered range does not lie inside the RAM file",                     \
    "Is the RAM file the one this QEMU uses, and the range below 2 GiB?")      \
  X(kSessionStale, 'P', 'C', 23,                                               \
    "a registration came for a page already in use",                           \
    "The guest starts a new session by itself after a restart of the proxy.")  \
  X(kRamLost, 'P', 'C', 24, "the RAM file shrank below the mapped range",      \
    "Something truncated the RAM file of a running VM.")                       \
  X(kRamFileUnusable, 'P', 'C', 25, "the RAM file cannot be opened or mapped", \
    "Check `ram` in the configuration, and the file's owner and mode.")        \
  X(kDoorbellFlood, 'P', 'C', 26,                                              \
    "retired: the guest rings without being asked",                            \
    "Only older programs say this; its number is not used again.")             \
  X(kProxyRefused, 'P', 'C', 27, "the proxy ended the session",                \
    "See the proxy's log.")

namespace proxy {
FORELOCK_PROXY_REASONS(BASE_DEFINE_REASON)
}  // namespace proxy
