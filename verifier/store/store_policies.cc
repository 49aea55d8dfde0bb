// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/store/rows.h"
#include "verifier/store/store.h"

namespace verifier {
namespace {

Fields PolicyFields(std::string_view name, std::string_view text) {
  Fields fields("forelock policy v1");
  fields.Add(name).Add(text);
  return fields;
}

}  // namespace

absl::StatusOr<Policy> Store::PutPolicy(std::string_view text,
                                        std::string_view file, Put put) {
  auto policy = Policy::Parse(text, file);
  if (!policy.ok()) return policy;
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  const auto others = Policies();
  if (!others.ok()) return others.status();
  bool exists = false;
  for (const Policy& other : *others) {
    if (other.name == policy->name) {
      exists = true;
      continue;
    }
    const std::string shared = SharedPath(*policy, other);
    if (!shared.empty()) {
      return Error(
          kPolicyOverlap, absl::StatusCode::kFailedPrecondition,
          absl::StrCat(policy->name, " and ", other.name, " govern ", shared));
    }
  }
  if (exists && put == Put::kNew) {
    return Error(kAlreadyExists, absl::StatusCode::kAlreadyExists,
                 absl::StrCat("policy ", policy->name,
                              "; policy replace puts this one in its place"));
  }
  if (!exists && put == Put::kReplace) {
    return Error(
        kUnknownName, absl::StatusCode::kNotFound,
        absl::StrCat("policy ", policy->name,
                     "; policy list shows what there is, policy add adds it"));
  }
  absl::Status status = CheckReplacement(*policy);
  if (status.ok()) {
    status = database_.Prepare("INSERT OR REPLACE INTO policies VALUES(?,?,?)")
                 .Bind(policy->name)
                 .Bind(text)
                 .Bind(keys_.RowMac(PolicyFields(policy->name, text)))
                 .Run();
  }
  if (status.ok()) status = BindSecrets(*policy);
  if (status.ok()) status = RaiseGeneration();
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return policy;
}

absl::StatusOr<std::vector<std::string>> Store::PathsBoundTo(
    std::string_view name) {
  std::vector<std::string> paths;
  auto statement =
      database_.Prepare("SELECT path FROM bindings WHERE policy = ?");
  statement.Bind(name);
  for (;;) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return paths;
    paths.push_back(statement.Text(0));
  }
}

// A secret's policy is in its associated data: it cannot move to another.
absl::Status Store::CheckReplacement(const Policy& policy) {
  const auto paths = PathsBoundTo(policy.name);
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    if (!policy.Governs(path)) {
      return Error(kStillInUse, absl::StatusCode::kFailedPrecondition,
                   absl::StrCat("the new ", policy.name,
                                " does not govern the secret ", path));
    }
  }
  return absl::OkStatus();
}

absl::Status Store::RemovePolicy(std::string_view name) {
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  const auto paths = PathsBoundTo(name);
  if (!paths.ok()) return paths.status();
  if (!paths->empty()) {
    return Error(
        kStillInUse, absl::StatusCode::kFailedPrecondition,
        absl::StrCat("policy ", name, " governs the secret ", paths->front()));
  }
  auto statement =
      database_.Prepare("DELETE FROM policies WHERE name = ? RETURNING 1");
  const auto row = statement.Bind(name).Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return Error(
        kUnknownName, absl::StatusCode::kNotFound,
        absl::StrCat("policy ", name, "; policy list shows what there is"));
  }
  absl::Status status = statement.Run();
  if (status.ok()) status = RaiseGeneration();
  if (status.ok()) status = transaction.Commit();
  return status;
}

absl::StatusOr<std::vector<Policy>> Store::Policies() {
  std::vector<Policy> policies;
  auto statement = database_.Prepare("SELECT name, text, mac FROM policies");
  for (;;) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return policies;
    const std::string name = statement.Text(0);
    const std::string text = statement.Text(1);
    const std::string label = absl::StrCat("policy ", name);
    if (!keys_.RowMacMatches(PolicyFields(name, text), statement.Blob(2))) {
      return RowTamperedWith(label);
    }
    auto policy = Policy::ParseStored(text, label);
    if (!policy.ok()) return policy.status();
    policies.push_back(*std::move(policy));
  }
}

absl::StatusOr<std::optional<Policy>> Store::FindPolicy(std::string_view name) {
  auto statement =
      database_.Prepare("SELECT text, mac FROM policies WHERE name = ?");
  const auto row = statement.Bind(name).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<Policy>();
  const std::string text = statement.Text(0);
  const std::string label = absl::StrCat("policy ", name);
  if (!keys_.RowMacMatches(PolicyFields(name, text), statement.Blob(1))) {
    return RowTamperedWith(label);
  }
  auto policy = Policy::ParseStored(text, label);
  if (!policy.ok()) return policy.status();
  return std::optional<Policy>(*std::move(policy));
}

}  // namespace verifier
