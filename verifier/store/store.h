// SPDX-License-Identifier: Apache-2.0
//
// Store: everything a verifier remembers, in one folder
// (docs/run-a-verifier.md).
//
// The folder: master.key, tls.key, tls.crt, verifier.db. The database is
// trusted for availability and freshness only: secrets are encrypted under
// their own path, version, class and policy; policies, bindings, roots and
// counters carry a MAC. A row that fails is FailedPrecondition (VS3), which a
// session turns into try_later, never into a grant.
//
// One Store is one connection, for one thread. Several processes may use one
// folder at the same time.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/evidence/evidence.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"
#include "verifier/store/database.h"
#include "verifier/store/key_ring.h"
#include "verifier/store/secret_value.h"
#include "verifier/trust_class.h"

namespace verifier {

using DecisionId = std::array<uint8_t, 16>;
using ReportId = std::array<uint8_t, 32>;

struct SecretInfo {
  std::string path;
  int64_t version = 0;
  TrustClass trust_class = TrustClass::kHardware;
  std::string policy;  // Empty: none governs it.
  SecretKind kind = SecretKind::kData;
};

// What the store says about one request, all of it authenticated.
struct Snapshot {
  int64_t generation = 0;
  std::vector<AcceptedRoot> roots;
  // By name: those that govern a requested path. Where no path is requested,
  // those that speak for the VM.
  std::map<std::string, Policy> policies;
  struct Path {
    std::string path;
    std::string policy;                // Empty: none governs it.
    std::optional<SecretInfo> secret;  // Empty: there is no such secret.
  };
  std::vector<Path> paths;  // In the order asked for.
};

struct DecisionRecord {
  DecisionId id{};
  int64_t time_ms = 0;  // Since 1970, UTC.
  std::string vm;       // Empty before a request was understood.
  std::string outcome;
  bool emulated = false;
  std::string detail;  // JSON, verifier/session/audit_record.h
  // A grant counts as a boot; the others have no report id.
  std::optional<ReportId> granted_report;
  int64_t generation = 0;  // Of the snapshot a grant was decided from.
};

struct Committed {
  uint64_t boot_counter = 0;
  std::optional<ReportId> previous_report;
};

struct AuditEntry {
  DecisionId id{};
  int64_t time_ms = 0;
  std::string vm;
  std::string outcome;
  bool emulated = false;
  std::string detail;
  int64_t boot_counter = 0;  // 0: not a grant.
  std::string receipt;       // Empty: none came.
};

class Store {
 public:
  // Makes the folder, the master key and the database, and accepts AMD's roots.
  // AlreadyExists: there is one.
  static absl::StatusOr<std::unique_ptr<Store>> Create(
      const std::string& folder);
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& folder);

  // --- Roots.
  absl::Status AddRoot(const AcceptedRoot& root);
  absl::Status RemoveRoot(const ossl::Digest256& sha256);
  absl::StatusOr<std::vector<AcceptedRoot>> Roots();

  // --- Policies. A second policy for one secret path is refused, naming both.
  enum class Put { kNew, kReplace };
  // kReplace takes the place of the policy of the same name: its secrets stay
  // bound to it and must all still be governed.
  absl::StatusOr<Policy> PutPolicy(std::string_view text, std::string_view file,
                                   Put put);
  // FailedPrecondition: secrets are still bound to it.
  absl::Status RemovePolicy(std::string_view name);
  absl::StatusOr<std::vector<Policy>> Policies();

  // --- Secrets. Each is bound to the one policy that governs its path, when it
  // or the policy is added; until then nobody gets it.
  absl::StatusOr<SecretInfo> AddSecret(std::string_view path,
                                       TrustClass trust_class,
                                       const SecretValue& value);
  // Keeps class and policy, raises the version.
  absl::StatusOr<SecretInfo> ReplaceSecret(std::string_view path,
                                           const SecretValue& value);
  absl::Status RemoveSecret(std::string_view path);
  absl::StatusOr<std::vector<SecretInfo>> Secrets();

  // --- Decisions.
  absl::StatusOr<Snapshot> TakeSnapshot(std::string_view vm,
                                        const std::vector<std::string>& paths);
  // Only with proof that evidence of the secret's class was verified.
  absl::StatusOr<SecretValue> OpenSecret(const VerifiedReport& report,
                                         const SecretInfo& info);
  // Audit record, boot counter and lease in one transaction, on disk when this
  // returns. Unavailable (kStoreChanged): a grant from an old snapshot.
  absl::StatusOr<Committed> Commit(const DecisionRecord& record);
  absl::Status AddReceipt(const DecisionId& id, std::string_view receipt);

  // --- Audit. Newest first.
  absl::StatusOr<std::vector<AuditEntry>> ListAudit(int64_t limit);
  absl::StatusOr<AuditEntry> FindAudit(const DecisionId& id);

  // For another process's lock, at each access; 5 s unless told.
  void LimitWaiting(std::chrono::milliseconds limit) {
    database_.LimitWaiting(limit);
  }

  const std::string& folder() const { return folder_; }

 private:
  Store(std::string folder, Database database, KeyRing keys)
      : folder_(std::move(folder)),
        database_(std::move(database)),
        keys_(std::move(keys)) {}

  absl::Status CheckMasterKey();
  absl::StatusOr<int64_t> Generation();
  absl::Status RaiseGeneration();
  absl::StatusOr<std::optional<Policy>> FindPolicy(std::string_view name);
  absl::Status AddPoliciesOfVm(std::string_view vm, Snapshot& snapshot);
  absl::StatusOr<std::vector<std::string>> PathsBoundTo(std::string_view name);
  absl::Status CheckReplacement(const Policy& policy);
  // Gives unbound secrets that `policy` governs to it.
  absl::Status BindSecrets(const Policy& policy);
  absl::StatusOr<SecretValue> Unseal(const SecretInfo& info);
  absl::Status WriteSecret(const SecretInfo& info, const SecretValue& value);
  absl::StatusOr<std::optional<SecretInfo>> FindSecret(std::string_view path);
  absl::StatusOr<Key> DataKey(const std::string& key_id);
  absl::StatusOr<Committed> CountBoot(const DecisionRecord& record);

  std::string folder_;
  Database database_;
  KeyRing keys_;
};

}  // namespace verifier
