// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of proto/: messages that are well-formed protobuf at most, but
// not what their readers accept. 1 to 49: the configuration; 50 to 79: attest;
// 80 and up: the channel.
#pragma once

#include "base/reasons.h"

#define FORELOCK_PROTO_REASONS(X)                                              \
  X(kConfigMissing, 'P', 'R', 1, "image has no configuration",                 \
    "Run `forelock image configure` on it.")                                   \
  X(kConfigSectionMalformed, 'P', 'R', 2,                                      \
    "image's .config section is malformed",                                    \
    "The image was edited by something else than `forelock image configure`.") \
  X(kConfigTooLarge, 'P', 'R', 3, "configuration does not fit its section",    \
    "Use fewer or shorter names.")                                             \
  X(kConfigNotProtobuf, 'P', 'R', 4, "configuration is not a valid protobuf",  \
    "The image was edited by something else than `forelock image configure`.") \
  X(kConfigUnknownField, 'P', 'R', 5,                                          \
    "configuration has a field this image does not know",                      \
    "Configure the image with the `forelock` of its own release.")             \
  X(kConfigUnknownVersion, 'P', 'R', 6, "configuration version is not 1",      \
    "Configure the image with the `forelock` of its own release.")             \
  X(kConfigPlatform, 'P', 'R', 7, "configuration names no platform",           \
    "Set platform to \"snp\" or \"emulated\"; there is no default.")           \
  X(kConfigVmName, 'P', 'R', 8, "configuration has a bad VM name",             \
    "Use 1 to 128 characters of a-z 0-9 . _ / -.")                             \
  X(kConfigEndpointName, 'P', 'R', 9,                                          \
    "configuration has a bad verifier endpoint name",                          \
    "Use 1 to 128 characters of a-z 0-9 . _ / -.")                             \
  X(kConfigPinCount, 'P', 'R', 10,                                             \
    "configuration does not have 1 to 4 verifier pins",                        \
    "`forelock-verifier pin` prints the pin to use.")                          \
  X(kConfigPinSize, 'P', 'R', 11, "a verifier pin is not 32 bytes",            \
    "`forelock-verifier pin` prints the pin to use.")                          \
  X(kConfigPinDuplicate, 'P', 'R', 12, "a verifier pin is given twice",        \
    "Remove one; a second pin is for a second key.")                           \
  X(kConfigResourceCount, 'P', 'R', 13,                                        \
    "configuration asks for more than 8 resources",                            \
    "Split them over several VMs, or join files.")                             \
  X(kConfigResourceName, 'P', 'R', 14, "a resource has a bad name",            \
    "Use 1 to 128 characters of a-z 0-9 . _ / -.")                             \
  X(kConfigResourceDuplicate, 'P', 'R', 15, "a resource is asked for twice",   \
    "Remove one.")                                                             \
  X(kConfigResourceKind, 'P', 'R', 16, "a resource has no kind",               \
    "Set kind to \"luks2\" or \"file\".")                                      \
  X(kConfigResourceSize, 'P', 'R', 17,                                         \
    "a resource's max_size is not 1 to 4096",                                  \
    "A larger secret belongs on the encrypted disk.")                          \
  X(kConfigVolumeName, 'P', 'R', 18, "a luks2 resource has a bad volume name", \
    "Use 1 to 64 characters of a-z A-Z 0-9 . _ -, not starting with a dot.")   \
  X(kConfigFilePath, 'P', 'R', 19, "a file resource has a bad path",           \
    "Use an absolute path of 2 to 255 printable characters and at most 8 "     \
    "parts, none of them . or .., not at or below /etc/forelock/keys.d. No "   \
    "part may be cryptsetup-keys.d, crypto_keyfile.bin or cryptsetup.*: "      \
    "stock initrds open a disk with what stands there.")                       \
  X(kConfigPlaceDuplicate, 'P', 'R', 20,                                       \
    "two resources would be put in the same place",                            \
    "Give each its own volume or path; volumes own /etc/forelock/keys.d.")     \
  X(kConfigChannel, 'P', 'R', 21, "configuration names no channel transport",  \
    "Set channel.transport to \"page\".")                                      \
  X(kConfigPort, 'P', 'R', 22, "channel port is not usable",                   \
    "Use an I/O port from 0x100 to 0xffff that no device has.")                \
  X(kConfigDeadline, 'P', 'R', 23, "a deadline is over 10 minutes",            \
    "Deadlines are in milliseconds; leave them out for the defaults.")         \
  X(kConfigAcpi, 'P', 'R', 24,                                                 \
    "configuration does not say what to do with ACPI tables",                  \
    "Set acpi to \"none\" or \"from-host\"; there is no default.")             \
  X(kConfigExpectedBootIncomplete, 'P', 'R', 25,                               \
    "expected_boot does not have every digest",                                \
    "Give kernel, initrd, command_line and, unless acpi is none, acpi.")       \
  X(kConfigDigestSize, 'P', 'R', 26, "a digest is not 48 bytes",               \
    "Use sha384:<96 hexadecimal digits>.")                                     \
  X(kConfigExpectedAcpiWithoutAcpi, 'P', 'R', 27,                              \
    "expected_boot has an ACPI digest but acpi is none",                       \
    "Remove the digest, or set acpi to \"from-host\".")                        \
  X(kConfigOnFailure, 'P', 'R', 28, "on_failure has an unknown value",         \
    "Set on_failure to \"halt\" or \"boot-without-secrets\".")                 \
  X(kConfigUnattestedBoot, 'P', 'R', 29,                                       \
    "boot-without-secrets without expected_boot",                              \
    "Without a verdict only expected_boot says what may start; give it.")      \
  X(kConfigTscFrequency, 'P', 'R', 30, "tsc_khz is not plausible",             \
    "Give the TSC's frequency in kHz, 100000 to 10000000.")                    \
  X(kAttestMalformed, 'P', 'R', 50,                                            \
    "an attestation message is not the protobuf it should be",                 \
    "The peer is broken, hostile or of another version.")                      \
  X(kAttestFieldInvalid, 'P', 'R', 51,                                         \
    "a field of an attestation message is missing or outside its limits",      \
    "The peer is broken, hostile or of another version.")                      \
  X(kAttestTooMany, 'P', 'R', 52,                                              \
    "an attestation message repeats a field too often",                        \
    "The peer is broken, hostile or of another version.")                      \
  X(kAttestMessageTooLong, 'P', 'R', 53,                                       \
    "an attestation message is over its limit",                                \
    "The peer is broken, hostile or of another version.")                      \
  X(kVerdictNotPadded, 'P', 'R', 54,                                           \
    "a verdict is not padded with zeros to a multiple of 4 KiB",               \
    "The verifier is broken or of another version.")                           \
  X(kChannelMessageMalformed, 'P', 'R', 80,                                    \
    "a message of the proxy channel is not valid protobuf",                    \
    "The peer is truncated, hostile or of another version.")                   \
  X(kChannelFieldInvalid, 'P', 'R', 81,                                        \
    "a field of a channel message is missing or out of limits",                \
    "The peer is newer, broken or hostile; docs/channel.md has the limits.")

namespace proto {
FORELOCK_PROTO_REASONS(BASE_DEFINE_REASON)
}  // namespace proto
