// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of launch/: images and configuration files that cannot be used.
#pragma once

#include "base/reasons.h"

#define FORELOCK_LAUNCH_REASONS(X)                                          \
  X(kElfMalformed, 'L', 'A', 1, "file is not a usable guest image",         \
    "Give the ELF file that the build made, unchanged.")                    \
  X(kElfNoConfigSection, 'L', 'A', 2, "image has no .config section",       \
    "Give a Forelock guest image; another ELF file cannot be configured.")  \
  X(kImageConfigured, 'L', 'A', 3, "image is configured already",           \
    "Start from the image as built, or say --force.")                       \
  X(kTomlSyntax, 'L', 'A', 4, "configuration file is not valid TOML",       \
    "Mend the line and column that the message names.")                     \
  X(kTomlUnknownKey, 'L', 'A', 5, "configuration file has an unknown key",  \
    "Mend the spelling, or remove the key.")                                \
  X(kTomlMissingKey, 'L', 'A', 6, "configuration file lacks a key",         \
    "Add it; docs/own-a-guest.md lists every key.")                         \
  X(kTomlBadValue, 'L', 'A', 7, "configuration file has a value of no use", \
    "Mend the line and column that the message names.")                     \
  X(kFileUnusable, 'L', 'A', 8, "a file cannot be read or written",         \
    "Check the path, its permissions and the room on the disk.")            \
  X(kImageChanged, 'L', 'A', 9, "image's configuration does not read back", \
    "A bug, or another program wrote to the file at the same time.")        \
  X(kElfNoLaunchNote, 'L', 'A', 10, "image has no launch note",             \
    "Only a guest image that can start on SEV-SNP has one; rebuild it.")    \
  X(kLaunchNoteUnusable, 'L', 'A', 11,                                      \
    "image's launch note does not fit the image",                           \
    "The image was changed after its build, or tool and image differ.")     \
  X(kIgvmOtherPlatform, 'L', 'A', 12, "IGVM file is not for SEV-SNP",       \
    "It has no platform header for SEV-SNP, or two; ask who built it.")     \
  X(kIgvmNotUnderstood, 'L', 'A', 13,                                       \
    "IGVM file has something whose effect on the launch is not known",      \
    "forelock image list shows all of it; a newer program may know it.")    \
  X(kIgvmNotLaunchable, 'L', 'A', 14,                                       \
    "IGVM file asks for a launch that cannot be",                           \
    "The message names it; QEMU and KVM would refuse or ignore it, too.")   \
  X(kPlanNotExpressible, 'L', 'A', 15,                                      \
    "a launch cannot be written as an IGVM file",                           \
    "A bug: this program planned what the format has no header for.")       \
  X(kImageNotForSnp, 'L', 'A', 16, "image is not configured for SEV-SNP",   \
    "Configure it with platform = \"snp\"; it would not start.")            \
  X(kIdBlockOther, 'L', 'A', 17, "ID block is not of this launch",          \
    "Sign the digest and the guest policy that image build prints.")        \
  X(kKeyUnusable, 'L', 'A', 30, "a key cannot sign ID blocks",              \
    "Give an EC P-384 private key in PEM, or a pkcs11: URI of one.")        \
  X(kKeyEncrypted, 'L', 'A', 31, "a key file is encrypted",                 \
    "Decrypt it where you sign, or keep the key in a PKCS#11 token.")       \
  X(kPkcs11Unusable, 'L', 'A', 32, "a PKCS#11 token's key cannot be used",  \
    "Check engine, --pkcs11-module, the URI's token and object, the PIN.")  \
  X(kIdBlockUnsound, 'L', 'A', 33, "a signed ID block does not verify",     \
    "The token's public key is of another pair; nothing was written.")      \
  X(kRomUnusable, 'L', 'A', 34, "a flat ROM cannot be made or read",        \
    "Give what `forelock image rom` made, unchanged.")                      \
  X(kPolicyNotSigned, 'L', 'A', 35, "a guest policy is not one to sign",    \
    "Build without the bits that the message names; verifiers refuse "      \
    "them.")                                                                \
  X(kConfigAboveImage, 'L', 'A', 36,                                        \
    "image's SVSM does not know a field of the configuration",              \
    "Leave the key out, or configure an image of a newer build.")

namespace launch {
FORELOCK_LAUNCH_REASONS(BASE_DEFINE_REASON)
}  // namespace launch
