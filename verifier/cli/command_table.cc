// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/commands.h"

namespace verifier {
namespace {

using hosted::Command;
using hosted::Option;
using Kind = hosted::Option::Kind;

constexpr Option kEmulated = {"emulated", "", Kind::kSwitch,
                              "for demo and test: the class EMULATED"};
constexpr Option kKeyFile = {"key-file", "FILE", Kind::kRequired,
                             "the LUKS2 key; -: standard input"};
constexpr Option kDevice = {"device", "IMG", Kind::kOptional,
                            "takes header length and digest from this disk"};
constexpr Option kHeaderLength = {
    "header-length", "N", Kind::kOptional,
    "bytes of the LUKS2 header, without --device"};
constexpr Option kHeaderSha256 = {"header-sha256", "HEX", Kind::kOptional,
                                  "its SHA-256, without --device"};
constexpr Option kUntested = {"untested", "", Kind::kSwitch,
                              "stores the key without trying it on --device"};
constexpr Option kMemory = {
    "memory", "MIB", Kind::kOptional,
    "the VM's memory, for a warning of argon2 that wants more; default 512"};
constexpr Option kFile = {"file", "FILE", Kind::kRequired,
                          "the secret; -: standard input"};

constexpr Option kServeOptions[] = {
    {"listen", "ADDRESS:PORT", Kind::kOptional,
     "default 127.0.0.1:8443; port 0: any"},
    {"allow-emulated", "", Kind::kSwitch,
     "lets EMULATED evidence have secrets created --emulated"},
    {"certificates", "DIR", Kind::kOptional,
     "imported ARK, ASK, ASVK and CRLs; read again when they change"},
    {"max-sessions", "N", Kind::kOptional, "default 256"},
    {"max-sessions-per-source", "N", Kind::kOptional,
     "of one IPv4 address or IPv6 /64, default 32"},
    {"request-seconds", "N", Kind::kOptional,
     "deadline of the request, default 10"},
    {"session-seconds", "N", Kind::kOptional,
     "deadline of one connection, default 30"},
};
constexpr Option kRootsAddOptions[] = {kEmulated};
constexpr Option kAddDiskOptions[] = {kKeyFile,      kDevice,   kHeaderLength,
                                      kHeaderSha256, kUntested, kMemory,
                                      kEmulated};
constexpr Option kAddOptions[] = {kFile, kEmulated};
constexpr Option kReplaceDiskOptions[] = {
    kKeyFile, kDevice, kHeaderLength, kHeaderSha256, kUntested, kMemory};
constexpr Option kReplaceOptions[] = {kFile};
constexpr Option kAuditListOptions[] = {
    {"limit", "N", Kind::kOptional, "how many, default 50"}};
constexpr Option kAuditShowOptions[] = {
    {"json", "", Kind::kSwitch, "for programs"}};

constexpr Option kCommonOptions[] = {
    {"state", "DIR", Kind::kOptional,
     "the state folder; else $FORELOCK_VERIFIER_STATE, else "
     "/var/lib/forelock-verifier"},
};

constexpr char kDiskText[] =
    "A guest opens the disk only under the LUKS2 header that stands here with\n"
    "the key: name the disk with --device, or its header's length and digest.\n"
    "With --device the key is tried on the disk, by cryptsetup where that is\n"
    "installed: one that does not open it is refused.";

constexpr Command kCommands[] = {
    {"init",
     "",
     "makes the state folder: keys, certificate, database",
     "",
     {},
     &Init},
    {"pin",
     "",
     "prints the pin that guests are configured with",
     "",
     {},
     &ShowPin},
    {"serve", "", "runs the server until SIGTERM", "", kServeOptions, &Serve},
    {"roots add", "FILE", "accepts a root certificate (DER)", "",
     kRootsAddOptions, &RootsAdd},
    {"roots list", "", "lists the accepted roots", "", {}, &RootsList},
    {"roots remove", "SHA256", "stops accepting a root", "", {}, &RootsRemove},
    {"policy add",
     "FILE",
     "adds a policy and says what it governs",
     "",
     {},
     &PolicyAdd},
    {"policy replace",
     "FILE",
     "replaces the policy of the same name",
     "",
     {},
     &PolicyReplace},
    {"policy remove",
     "NAME",
     "removes a policy without secrets",
     "",
     {},
     &PolicyRemove},
    {"policy list", "", "lists the policies", "", {}, &PolicyList},
    {"secret add-disk", "PATH", "adds the key of a LUKS2 disk", kDiskText,
     kAddDiskOptions, &SecretAddDisk},
    {"secret add", "PATH", "adds another secret", "", kAddOptions, &SecretAdd},
    {"secret replace-disk", "PATH", "a new key or header for a disk", kDiskText,
     kReplaceDiskOptions, &SecretReplaceDisk},
    {"secret replace", "PATH", "a new value for another secret", "",
     kReplaceOptions, &SecretReplace},
    {"secret remove", "PATH", "forgets a secret", "", {}, &SecretRemove},
    {"secret list",
     "",
     "lists the secrets, not their values",
     "",
     {},
     &SecretList},
    {"audit list", "", "lists the last decisions, newest first", "",
     kAuditListOptions, &AuditList},
    {"audit show", "DECISION", "every reason of one decision", "",
     kAuditShowOptions, &AuditShow},
};

}  // namespace

hosted::Program VerifierProgram() {
  return {
      .name = "forelock-verifier",
      .summary = "forelock-verifier: attests VMs and releases their secrets",
      .commands = kCommands,
      .common_options = kCommonOptions};
}

}  // namespace verifier
