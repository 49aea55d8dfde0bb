// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/store/rows.h"
#include "verifier/store/store.h"

namespace verifier {
namespace {

struct Lease {
  std::string vm;
  int64_t boot_counter = 0;
  ReportId report{};
  DecisionId decision{};
};

Fields LeaseFields(const Lease& lease) {
  Fields fields("forelock lease v1");
  fields.Add(lease.vm)
      .Add(lease.boot_counter)
      .Add(lease.report)
      .Add(lease.decision);
  return fields;
}

template <size_t kSize>
bool CopyTo(const std::vector<uint8_t>& from, std::array<uint8_t, kSize>& to) {
  if (from.size() != kSize) return false;
  memcpy(to.data(), from.data(), kSize);
  return true;
}

constexpr char kAuditColumns[] =
    "SELECT id, time_ms, vm, outcome, emulated, detail, boot_counter, receipt "
    "FROM audit ";

AuditEntry EntryFrom(Statement& row) {
  AuditEntry entry;
  CopyTo(row.Blob(0), entry.id);
  entry.time_ms = row.Int(1);
  entry.vm = row.Text(2);
  entry.outcome = row.Text(3);
  entry.emulated = row.Int(4) != 0;
  entry.detail = row.Text(5);
  entry.boot_counter = row.Int(6);
  entry.receipt = row.Text(7);
  return entry;
}

}  // namespace

absl::Status Store::AddPoliciesOfVm(std::string_view vm, Snapshot& snapshot) {
  const auto policies = Policies();
  if (!policies.ok()) return policies.status();
  for (const Policy& policy : *policies) {
    if (policy.SpeaksFor(vm)) snapshot.policies.emplace(policy.name, policy);
  }
  return absl::OkStatus();
}

absl::StatusOr<Snapshot> Store::TakeSnapshot(
    std::string_view vm, const std::vector<std::string>& paths) {
  Snapshot snapshot;
  // What changes later is seen at the commit, by the generation.
  const ReadTransaction one_moment(database_);
  if (!one_moment.status().ok()) return one_moment.status();
  const auto generation = Generation();
  if (!generation.ok()) return generation.status();
  snapshot.generation = *generation;
  auto roots = Roots();
  if (!roots.ok()) return roots.status();
  snapshot.roots = *std::move(roots);
  if (paths.empty()) {
    const absl::Status status = AddPoliciesOfVm(vm, snapshot);
    if (!status.ok()) return status;
  }
  std::optional<std::vector<Policy>> all;  // Only if a path has no secret.
  for (const std::string& path : paths) {
    auto& entry = snapshot.paths.emplace_back();
    entry.path = path;
    auto secret = FindSecret(path);
    if (!secret.ok()) return secret.status();
    entry.secret = *std::move(secret);
    std::optional<Policy> policy;
    if (entry.secret) {
      auto found = FindPolicy(entry.secret->policy);
      if (!found.ok()) return found.status();
      policy = *std::move(found);
    } else {
      if (!all) {
        auto policies = Policies();
        if (!policies.ok()) return policies.status();
        all = *std::move(policies);
      }
      for (const Policy& candidate : *all) {
        if (candidate.Governs(path)) policy = candidate;
      }
    }
    if (!policy) continue;
    entry.policy = policy->name;
    snapshot.policies.emplace(policy->name, *policy);
  }
  return snapshot;
}

// Inside Commit's transaction.
absl::StatusOr<Committed> Store::CountBoot(const DecisionRecord& record) {
  const auto generation = Generation();
  if (!generation.ok()) return generation.status();
  if (*generation != record.generation) {
    return Error(kStoreChanged, absl::StatusCode::kUnavailable, record.vm);
  }
  Committed committed;
  Lease lease{.vm = record.vm};
  auto statement = database_.Prepare(
      "SELECT boot_counter, report_id, decision_id, mac FROM leases "
      "WHERE vm = ?");
  const auto row = statement.Bind(record.vm).Step();
  if (!row.ok()) return row.status();
  if (*row) {
    lease.boot_counter = statement.Int(0);
    if (!CopyTo(statement.Blob(1), lease.report) ||
        !CopyTo(statement.Blob(2), lease.decision) ||
        !keys_.RowMacMatches(LeaseFields(lease), statement.Blob(3))) {
      return RowTamperedWith(absl::StrCat("boot counter of ", record.vm));
    }
    committed.previous_report = lease.report;
  }
  ++lease.boot_counter;
  lease.report = *record.granted_report;
  lease.decision = record.id;
  committed.boot_counter = static_cast<uint64_t>(lease.boot_counter);
  const absl::Status status =
      database_.Prepare("INSERT OR REPLACE INTO leases VALUES(?, ?, ?, ?, ?)")
          .Bind(lease.vm)
          .Bind(lease.boot_counter)
          .Bind(lease.report)
          .Bind(lease.decision)
          .Bind(keys_.RowMac(LeaseFields(lease)))
          .Run();
  if (!status.ok()) return status;
  return committed;
}

absl::StatusOr<Committed> Store::Commit(const DecisionRecord& record) {
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  Committed committed;
  if (record.granted_report) {
    auto counted = CountBoot(record);
    if (!counted.ok()) return counted.status();
    committed = *std::move(counted);
  }
  absl::Status status =
      database_
          .Prepare(
              "INSERT INTO audit(id, time_ms, vm, outcome, emulated, "
              "detail, boot_counter) VALUES(?, ?, ?, ?, ?, ?, ?)")
          .Bind(record.id)
          .Bind(record.time_ms)
          .Bind(record.vm)
          .Bind(record.outcome)
          .Bind(int64_t{record.emulated})
          .Bind(record.detail)
          .Bind(static_cast<int64_t>(committed.boot_counter))
          .Run();
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return committed;
}

absl::Status Store::AddReceipt(const DecisionId& id, std::string_view receipt) {
  return database_
      .Prepare("UPDATE audit SET receipt = ? WHERE id = ? AND receipt = ''")
      .Bind(receipt)
      .Bind(id)
      .Run();
}

absl::StatusOr<std::vector<AuditEntry>> Store::ListAudit(int64_t limit) {
  std::vector<AuditEntry> entries;
  auto statement = database_.Prepare(
      absl::StrCat(kAuditColumns, "ORDER BY sequence DESC LIMIT ?"));
  statement.Bind(limit);
  for (;;) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return entries;
    entries.push_back(EntryFrom(statement));
  }
}

absl::StatusOr<AuditEntry> Store::FindAudit(const DecisionId& id) {
  auto statement =
      database_.Prepare(absl::StrCat(kAuditColumns, "WHERE id = ?"));
  const auto row = statement.Bind(id).Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return Error(kUnknownName, absl::StatusCode::kNotFound,
                 absl::StrCat("decision ", ossl::Hex(id),
                              "; audit list shows the last ones"));
  }
  return EntryFrom(statement);
}

}  // namespace verifier
