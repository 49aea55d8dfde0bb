// SPDX-License-Identifier: Apache-2.0
//
// secret ... and audit ...
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hosted/text.h"
#include "verifier/cli/commands.h"
#include "verifier/cli/common.h"
#include "verifier/cli/disk_secret.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/audit_record.h"
#include "verifier/store/secret_value.h"

namespace verifier {
namespace {

void Print(const std::string& line) { printf("%s\n", line.c_str()); }

std::string Describe(const SecretInfo& info) {
  return absl::StrCat(info.path, " ", NameOf(info.kind), " ",
                      NameOf(info.trust_class), " version ", info.version,
                      info.policy.empty()
                          ? ", NO POLICY governs it: nobody gets it"
                          : absl::StrCat(", policy ", info.policy));
}

// Not a word of how long the usual ones are.
constexpr size_t kUsualMaxSize = 64;

// The verifier never learns an image's max_size, and grants the secret; the
// guest is the one who refuses it (AT10).
void PrintMaxSize(const SecretValue& value) {
  if (value.bytes.size() <= kUsualMaxSize) return;
  Print(absl::StrCat("  an image that asks for it needs max_size = ",
                     value.bytes.size(), " or more (4096 if it names none)"));
}

absl::Status Add(const Arguments& arguments,
                 const absl::StatusOr<SecretValue>& value) {
  if (!value.ok()) return value.status();
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto info = (*store)->AddSecret(
      arguments.positional(0),
      arguments.Has("emulated") ? TrustClass::kEmulated : TrustClass::kHardware,
      *value);
  if (!info.ok()) return info.status();
  Print(absl::StrCat("added ", Describe(*info)));
  PrintMaxSize(*value);
  return absl::OkStatus();
}

absl::Status Replace(const Arguments& arguments,
                     const absl::StatusOr<SecretValue>& value) {
  if (!value.ok()) return value.status();
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto info = (*store)->ReplaceSecret(arguments.positional(0), *value);
  if (!info.ok()) return info.status();
  Print(absl::StrCat("replaced ", Describe(*info)));
  PrintMaxSize(*value);
  return absl::OkStatus();
}

}  // namespace

absl::Status SecretAdd(const Arguments& arguments) {
  return Add(arguments, ReadSecret(arguments.Value("file")));
}

absl::Status SecretAddDisk(const Arguments& arguments) {
  return Add(arguments, ReadDiskSecret(arguments));
}

absl::Status SecretReplace(const Arguments& arguments) {
  return Replace(arguments, ReadSecret(arguments.Value("file")));
}

absl::Status SecretReplaceDisk(const Arguments& arguments) {
  return Replace(arguments, ReadDiskSecret(arguments));
}

absl::Status SecretRemove(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  return (*store)->RemoveSecret(arguments.positional(0));
}

absl::Status SecretList(const Arguments& arguments) {
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto secrets = (*store)->Secrets();
  if (!secrets.ok()) return secrets.status();
  for (const SecretInfo& info : *secrets) Print(Describe(info));
  return absl::OkStatus();
}

absl::Status AuditList(const Arguments& arguments) {
  int64_t limit = 50;
  if (arguments.Has("limit") &&
      (!absl::SimpleAtoi(arguments.Value("limit"), &limit) || limit <= 0)) {
    return hosted::UsageError("--limit wants a number over 0");
  }
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto entries = (*store)->ListAudit(limit);
  if (!entries.ok()) return entries.status();
  for (const AuditEntry& entry : *entries) {
    Print(absl::StrCat(FormatTime(entry.time_ms), " ", ossl::Hex(entry.id), " ",
                       hosted::Printable(entry.outcome), " ",
                       entry.vm.empty() ? "?" : hosted::Printable(entry.vm),
                       entry.emulated ? " EMULATED" : ""));
  }
  return absl::OkStatus();
}

absl::Status AuditShow(const Arguments& arguments) {
  DecisionId id{};
  if (!ossl::FromHex(arguments.positional(0), id)) {
    return hosted::UsageError("a decision is 32 hex digits");
  }
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto entry = (*store)->FindAudit(id);
  if (!entry.ok()) return entry.status();
  if (arguments.Has("json")) {
    Print(hosted::Printable(entry->detail));
  } else {
    printf("%s", ToText(*entry).c_str());
  }
  return absl::OkStatus();
}

}  // namespace verifier
