// SPDX-License-Identifier: Apache-2.0
//
// roots ... and policy ...
#include <openssl/x509.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "hosted/files.h"
#include "verifier/cli/commands.h"
#include "verifier/cli/common.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"
#include "verifier/policy/warnings.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kMaxCertificate = 64 * 1024;
constexpr size_t kMaxPolicy = 256 * 1024;

void Print(const std::string& line) { printf("%s\n", line.c_str()); }

absl::Status Unreadable(const absl::Status& why) {
  return Error(kInputUnusable, why.code(), why.message());
}

std::string Describe(const AcceptedRoot& root) {
  return absl::StrCat("sha256:", ossl::Hex(root.sha256), " ",
                      NameOf(root.trust_class), " ", root.name);
}

void PrintPolicy(const Policy& policy, const std::vector<AcceptedRoot>& roots) {
  Print(absl::StrCat("policy ", policy.name,
                     policy.emulated() ? " (EMULATED evidence only)" : ""));
  Print(absl::StrCat("  governs   ",
                     absl::StrJoin(policy.GovernedPatterns(), ", ")));
  Print(absl::StrCat("  for VMs   ", absl::StrJoin(policy.vms, ", ")));
  if (policy.outdated) {
    Print("  VERSION 1: grants nothing; write it anew and policy replace it");
    return;
  }
  Print(absl::StrCat("  products  ",
                     absl::StrJoin(policy.products, ", ",
                                   [](std::string* out, const ProductRule& r) {
                                     out->append(sev::NameOf(r.product));
                                   })));
  for (const auto& measurement : policy.measurement.values) {
    Print(absl::StrCat("  image     ", ossl::Hex(measurement)));
  }
  if (policy.measurement.any) {
    for (const auto& key : policy.id_key_digest.values) {
      Print(absl::StrCat("  images of ID key ", ossl::Hex(key), ", SVN ",
                         policy.minimum_guest_svn.value, " or more"));
    }
  }
  if (policy.unattested_boot) {
    Print("  boot      UNATTESTED: some boot files are not checked");
  }
  for (const auto& root : policy.roots) {
    bool accepted = false;
    for (const AcceptedRoot& known : roots) {
      accepted = accepted || known.sha256 == root;
    }
    Print(absl::StrCat("  root      sha256:", ossl::Hex(root),
                       accepted ? "" : " NOT ACCEPTED HERE; roots add"));
  }
}

absl::Status Put(const Arguments& arguments, Store::Put put) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const std::string& file = arguments.positional(0);
  const auto bytes = hosted::ReadInput(file, kMaxPolicy);
  if (!bytes.ok()) return Unreadable(bytes.status());
  const std::string text(bytes->begin(), bytes->end());
  const auto policy = (*store)->PutPolicy(text, file, put);
  if (!policy.ok()) return policy.status();
  const auto roots = (*store)->Roots();
  if (!roots.ok()) return roots.status();
  PrintPolicy(*policy, *roots);
  for (const std::string& warning : WarningsOf(*policy)) {
    Print(absl::StrCat("  warning: ", warning));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RootsAdd(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto der = hosted::ReadInput(arguments.positional(0), kMaxCertificate);
  if (!der.ok()) return Unreadable(der.status());
  const auto certificate = Certificate::Parse(*der);
  if (!certificate) {
    return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                 arguments.positional(0));
  }
  AcceptedRoot root{.sha256 = certificate->sha256(),
                    .trust_class = arguments.Has("emulated")
                                       ? TrustClass::kEmulated
                                       : TrustClass::kHardware,
                    .name = certificate->SubjectName(),
                    .der = *der};
  const absl::Status added = (*store)->AddRoot(root);
  if (!added.ok()) return added;
  Print(absl::StrCat("accepted ", Describe(root)));
  return absl::OkStatus();
}

absl::Status RootsList(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto roots = (*store)->Roots();
  if (!roots.ok()) return roots.status();
  for (const AcceptedRoot& root : *roots) Print(Describe(root));
  return absl::OkStatus();
}

absl::Status RootsRemove(const Arguments& arguments) {
  ossl::Digest256 sha256;
  if (!ossl::FromHex(absl::StripPrefix(arguments.positional(0), "sha256:"),
                     sha256)) {
    return hosted::UsageError("want sha256: and 64 hex digits");
  }
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  return (*store)->RemoveRoot(sha256);
}

absl::Status PolicyAdd(const Arguments& arguments) {
  return Put(arguments, Store::Put::kNew);
}

absl::Status PolicyReplace(const Arguments& arguments) {
  return Put(arguments, Store::Put::kReplace);
}

absl::Status PolicyRemove(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  return (*store)->RemovePolicy(arguments.positional(0));
}

absl::Status PolicyList(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto policies = (*store)->Policies();
  if (!policies.ok()) return policies.status();
  const auto roots = (*store)->Roots();
  if (!roots.ok()) return roots.status();
  for (const Policy& policy : *policies) PrintPolicy(policy, *roots);
  return absl::OkStatus();
}

}  // namespace verifier
