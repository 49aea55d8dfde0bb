// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/commands.h"

namespace verifier {
namespace {

const Option kEmulated = {"emulated", "",
                          "for demo and test: the class EMULATED"};
const Option kKeyFile = {"key-file", "FILE",
                         "the LUKS2 key; -: standard input"};
const Option kDevice = {"device", "IMG",
                        "takes header length and digest from this disk"};
const Option kHeaderLength = {"header-length", "N",
                              "bytes of the LUKS2 header, without --device"};
const Option kHeaderSha256 = {"header-sha256", "HEX",
                              "its SHA-256, without --device"};
const Option kFile = {"file", "FILE", "the secret; -: standard input"};
const Option kJson = {"json", "", "for programs"};

}  // namespace

const std::vector<Command>& Commands() {
  static const auto& commands = *new std::vector<Command>{
      {"init",
       "",
       "makes the state folder: keys, certificate, database",
       {},
       Init},
      {"pin",
       "",
       "prints the pin that guests are configured with",
       {},
       ShowPin},
      {"serve",
       "",
       "runs the server until SIGTERM",
       {{"listen", "ADDRESS:PORT", "default 127.0.0.1:8443; port 0: any"},
        {"allow-emulated", "",
         "lets EMULATED evidence have secrets created --emulated"},
        {"certificates", "DIR",
         "imported ARK, ASK, ASVK and CRLs; read again when they change"},
        {"max-sessions", "N", "default 256"},
        {"max-sessions-per-source", "N",
         "of one IPv4 address or IPv6 /64, default 32"},
        {"request-seconds", "N", "deadline of the request, default 10"},
        {"session-seconds", "N", "deadline of one connection, default 30"}},
       Serve},
      {"roots add",
       "FILE",
       "accepts a root certificate (DER)",
       {kEmulated},
       RootsAdd},
      {"roots list", "", "lists the accepted roots", {}, RootsList},
      {"roots remove", "SHA256", "stops accepting a root", {}, RootsRemove},
      {"policy add",
       "FILE",
       "adds a policy and says what it governs",
       {},
       PolicyAdd},
      {"policy replace",
       "FILE",
       "replaces the policy of the same name",
       {},
       PolicyReplace},
      {"policy remove",
       "NAME",
       "removes a policy without secrets",
       {},
       PolicyRemove},
      {"policy list", "", "lists the policies", {}, PolicyList},
      {"secret add-disk",
       "PATH",
       "adds the key of a LUKS2 disk",
       {kKeyFile, kDevice, kHeaderLength, kHeaderSha256, kEmulated},
       SecretAddDisk},
      {"secret add",
       "PATH",
       "adds another secret",
       {kFile, kEmulated},
       SecretAdd},
      {"secret replace-disk",
       "PATH",
       "a new key or header for a disk",
       {kKeyFile, kDevice, kHeaderLength, kHeaderSha256},
       SecretReplaceDisk},
      {"secret replace",
       "PATH",
       "a new value for another secret",
       {kFile},
       SecretReplace},
      {"secret remove", "PATH", "forgets a secret", {}, SecretRemove},
      {"secret list",
       "",
       "lists the secrets, not their values",
       {},
       SecretList},
      {"audit list",
       "",
       "lists the last decisions, newest first",
       {{"limit", "N", "how many, default 50"}},
       AuditList},
      {"audit show",
       "DECISION",
       "every reason of one decision",
       {kJson},
       AuditShow},
  };
  return commands;
}

}  // namespace verifier
