// SPDX-License-Identifier: Apache-2.0
//
// Making and opening a store; its roots. Policies, secrets and decisions are in
// files of their own.
#include "verifier/store/store.h"

#include <string.h>

#include "absl/strings/str_cat.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/store/files.h"
#include "verifier/store/rows.h"

namespace verifier {
namespace {

constexpr char kSchema[] = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE data_keys(id TEXT PRIMARY KEY, wrapped BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE roots(sha256 BLOB PRIMARY KEY, class INTEGER NOT NULL,
    name TEXT NOT NULL, der BLOB NOT NULL, mac BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE policies(name TEXT PRIMARY KEY, text TEXT NOT NULL,
    mac BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE bindings(path TEXT PRIMARY KEY, policy TEXT NOT NULL,
    class INTEGER NOT NULL, version INTEGER NOT NULL, kind INTEGER NOT NULL,
    mac BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE secrets(path TEXT PRIMARY KEY, key_id TEXT NOT NULL,
    sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE leases(vm TEXT PRIMARY KEY, boot_counter INTEGER NOT NULL,
    report_id BLOB NOT NULL, decision_id BLOB NOT NULL, mac BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE audit(sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE, time_ms INTEGER NOT NULL, vm TEXT NOT NULL,
    outcome TEXT NOT NULL, emulated INTEGER NOT NULL, detail TEXT NOT NULL,
    boot_counter INTEGER NOT NULL, receipt TEXT NOT NULL DEFAULT '');
PRAGMA user_version = 1;
)sql";
constexpr int64_t kSchemaVersion = 1;

std::string DatabasePath(const std::string& folder) {
  return absl::StrCat(folder, "/verifier.db");
}
std::string MasterKeyPath(const std::string& folder) {
  return absl::StrCat(folder, "/master.key");
}

Fields CheckFields() { return Fields("forelock master key check v1"); }

Fields RootFields(const AcceptedRoot& root) {
  Fields fields("forelock root v1");
  fields.Add(root.sha256)
      .Add(static_cast<int64_t>(root.trust_class))
      .Add(root.name)
      .Add(root.der);
  return fields;
}

}  // namespace

absl::Status RowTamperedWith(std::string_view what) {
  return Error(kRowUnauthentic, absl::StatusCode::kFailedPrecondition, what);
}

absl::StatusOr<std::unique_ptr<Store>> Store::Create(
    const std::string& folder) {
  absl::Status status = MakePrivateFolder(folder);
  // The master key is made first and exclusively: two inits cannot mix.
  if (status.ok()) status = KeyRing::CreateMasterKey(MasterKeyPath(folder));
  // Ours before SQLite opens it, or it would have the umask's mode.
  if (status.ok()) status = CreatePrivateFile(DatabasePath(folder), {});
  if (absl::IsAlreadyExists(status)) {
    return Error(kStoreOpen, status.code(),
                 absl::StrCat(folder,
                              ": a verifier's state is there already, and init "
                              "changes none; use it, or name another folder"));
  }
  if (!status.ok()) {
    return Error(kStoreOpen, status.code(), status.message());
  }
  auto keys = KeyRing::Load(MasterKeyPath(folder));
  if (!keys.ok()) return keys.status();
  auto database = Database::Open(DatabasePath(folder), Database::Mode::kOpen);
  if (!database.ok()) return database.status();
  std::unique_ptr<Store> store(
      new Store(folder, *std::move(database), *std::move(keys)));
  Transaction transaction(store->database_);
  status = store->database_.Run(kSchema);
  if (status.ok()) {
    status = store->database_
                 .Prepare(
                     "INSERT INTO meta VALUES('generation', 1), "
                     "('master_key_check', ?)")
                 .Bind(store->keys_.RowMac(CheckFields()))
                 .Run();
  }
  if (status.ok()) {
    status = store->database_.Prepare("INSERT INTO data_keys VALUES(?, ?)")
                 .Bind(kDataKeyId)
                 .Bind(store->keys_.NewWrappedDataKey(kDataKeyId))
                 .Run();
  }
  if (status.ok()) status = transaction.Commit();
  for (const AmdRoot& root : AmdRoots()) {
    if (!status.ok()) return status;
    status =
        store->AddRoot({.sha256 = root.sha256,
                        .trust_class = TrustClass::kHardware,
                        .name = absl::StrCat("AMD ", NameOf(root.product))});
  }
  if (!status.ok()) return status;
  return store;
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& folder) {
  auto keys = KeyRing::Load(MasterKeyPath(folder));
  if (!keys.ok()) return keys.status();
  auto database = Database::Open(DatabasePath(folder), Database::Mode::kOpen);
  if (!database.ok()) return database.status();
  std::unique_ptr<Store> store(
      new Store(folder, *std::move(database), *std::move(keys)));
  const absl::Status status = store->CheckMasterKey();
  if (!status.ok()) return status;
  return store;
}

absl::Status Store::CheckMasterKey() {
  auto version = database_.Prepare("PRAGMA user_version");
  const auto row = version.Step();
  if (!row.ok()) return row.status();
  if (!*row || version.Int(0) != kSchemaVersion) {
    return Error(kStoreOpen, absl::StatusCode::kFailedPrecondition,
                 absl::StrCat(folder_, ": not a store of this version"));
  }
  auto check = database_.Prepare(
      "SELECT value FROM meta WHERE key = 'master_key_check'");
  const auto found = check.Step();
  if (!found.ok()) return found.status();
  if (!*found || !keys_.RowMacMatches(CheckFields(), check.Blob(0))) {
    return Error(kMasterKeyWrong, absl::StatusCode::kFailedPrecondition,
                 folder_);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> Store::Generation() {
  auto statement =
      database_.Prepare("SELECT value FROM meta WHERE key = 'generation'");
  const auto row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row) return RowTamperedWith("generation");
  return statement.Int(0);
}

absl::Status Store::RaiseGeneration() {
  return database_.Run(
      "UPDATE meta SET value = value + 1 WHERE key = 'generation'");
}

absl::Status Store::AddRoot(const AcceptedRoot& root) {
  if (IsAmdRoot(root.sha256) != (root.trust_class == TrustClass::kHardware)) {
    return Error(kSecretClass, absl::StatusCode::kInvalidArgument,
                 "AMD's roots, and only they, are of the class hardware");
  }
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  // The same root again is not an error: AMD's are there from the start, and
  // an import adds the certificate.
  absl::Status status =
      database_.Prepare("INSERT OR REPLACE INTO roots VALUES(?, ?, ?, ?, ?)")
          .Bind(root.sha256)
          .Bind(static_cast<int64_t>(root.trust_class))
          .Bind(root.name)
          .Bind(root.der)
          .Bind(keys_.RowMac(RootFields(root)))
          .Run();
  if (status.ok()) status = RaiseGeneration();
  if (status.ok()) status = transaction.Commit();
  return status;
}

absl::Status Store::RemoveRoot(const ossl::Digest256& sha256) {
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  auto statement =
      database_.Prepare("DELETE FROM roots WHERE sha256 = ? RETURNING 1");
  const auto row = statement.Bind(sha256).Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return Error(kUnknownName, absl::StatusCode::kNotFound,
                 absl::StrCat("root sha256:", ossl::Hex(sha256),
                              "; roots list shows those that are accepted"));
  }
  absl::Status status = statement.Run();
  if (status.ok()) status = RaiseGeneration();
  if (status.ok()) status = transaction.Commit();
  return status;
}

absl::StatusOr<std::vector<AcceptedRoot>> Store::Roots() {
  std::vector<AcceptedRoot> roots;
  auto statement =
      database_.Prepare("SELECT sha256, class, name, der, mac FROM roots");
  for (;;) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return roots;
    AcceptedRoot root;
    const std::vector<uint8_t> sha256 = statement.Blob(0);
    if (sha256.size() != root.sha256.size()) return RowTamperedWith("a root");
    memcpy(root.sha256.data(), sha256.data(), sha256.size());
    const auto trust_class = ClassFrom(statement.Int(1));
    if (!trust_class) return RowTamperedWith("a root");
    root.trust_class = *trust_class;
    root.name = statement.Text(2);
    root.der = statement.Blob(3);
    if (!keys_.RowMacMatches(RootFields(root), statement.Blob(4))) {
      return RowTamperedWith(
          absl::StrCat("root sha256:", ossl::Hex(root.sha256)));
    }
    roots.push_back(std::move(root));
  }
}

}  // namespace verifier
