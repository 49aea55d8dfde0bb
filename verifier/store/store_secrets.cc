// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "verifier/finding.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/reasons.h"
#include "verifier/store/rows.h"
#include "verifier/store/store.h"

namespace verifier {
namespace {

// What is sealed: header length (8), header SHA-256 (32), the bytes.
constexpr size_t kPrefix = 8 + 32;
using Plain = base::SecretBuffer<kPrefix + kMaxSecretBytes>;

// The same fields protect the binding row and the sealed secret, so neither
// can be paired with another of the other.
Fields SecretFields(std::string_view label, const SecretInfo& info) {
  Fields fields(label);
  fields.Add(info.path)
      .Add(info.version)
      .Add(static_cast<int64_t>(info.trust_class))
      .Add(info.policy)
      .Add(static_cast<int64_t>(info.kind));
  return fields;
}

Fields BindingFields(const SecretInfo& info) {
  return SecretFields("forelock binding v1", info);
}

Fields SealFields(const SecretInfo& info, std::string_view key_id) {
  Fields fields = SecretFields("forelock secret v1", info);
  fields.Add(key_id);
  return fields;
}

Plain Pack(const SecretValue& value) {
  Plain plain;
  const auto out = *plain.ResizeForWrite(kPrefix + value.bytes.size());
  base::StoreLe<uint64_t>(value.header_length, out.first<8>());
  memcpy(out.data() + 8, value.header_sha256.data(), 32);
  const auto bytes = value.bytes.RevealSecret();
  memcpy(out.data() + kPrefix, bytes.data(), bytes.size());
  return plain;
}

// Says what changes the secret that is there.
absl::Status TakenBy(const SecretInfo& there, TrustClass trust_class,
                     SecretKind kind) {
  const std::string_view command =
      kind == SecretKind::kLuks2 ? "secret replace-disk" : "secret replace";
  return Error(
      kAlreadyExists, absl::StatusCode::kAlreadyExists,
      there.trust_class == trust_class
          ? absl::StrCat("secret ", there.path, "; ", command,
                         " gives it a new value")
          : absl::StrCat("secret ", there.path, ", of class ",
                         NameOf(there.trust_class),
                         ", which never changes; secret remove forgets it, "
                         "value and all"));
}

absl::Status UnknownSecret(std::string_view path) {
  return Error(
      kUnknownName, absl::StatusCode::kNotFound,
      absl::StrCat("secret ", path, "; secret list shows what there is"));
}

absl::Status CheckClass(const Policy& policy, const SecretInfo& info) {
  if (policy.emulated() == (info.trust_class == TrustClass::kEmulated)) {
    return absl::OkStatus();
  }
  return Error(
      kSecretClass, absl::StatusCode::kFailedPrecondition,
      absl::StrCat("policy ", policy.name, " has ",
                   policy.emulated() ? "no AMD root" : "AMD roots", ", secret ",
                   info.path, " is ", NameOf(info.trust_class),
                   policy.emulated()
                       ? "; one for that policy is added with --emulated"
                       : "; one for that policy is added without "
                         "--emulated"));
}

SecretValue Unpack(SecretKind kind, const Plain& plain) {
  const auto in = plain.RevealSecret();
  SecretValue value;
  value.kind = kind;
  value.header_length = base::LoadLe<uint64_t>(in.first<8>());
  memcpy(value.header_sha256.data(), in.data() + 8, 32);
  const auto bytes = in.subspan(kPrefix);
  memcpy(value.bytes.ResizeForWrite(bytes.size())->data(), bytes.data(),
         bytes.size());
  return value;
}

}  // namespace

absl::StatusOr<Key> Store::DataKey(const std::string& key_id) {
  auto statement =
      database_.Prepare("SELECT wrapped FROM data_keys WHERE id = ?");
  const auto row = statement.Bind(key_id).Step();
  if (!row.ok()) return row.status();
  if (*row) {
    auto key = keys_.Unwrap(key_id, statement.Blob(0));
    if (key) return *std::move(key);
  }
  return RowTamperedWith("a data key");
}

absl::Status Store::WriteSecret(const SecretInfo& info,
                                const SecretValue& value) {
  if (value.bytes.size() == 0) {
    return Error(kSecretSize, absl::StatusCode::kInvalidArgument, info.path);
  }
  const std::string key_id(kDataKeyId);
  const auto key = DataKey(key_id);
  if (!key.ok()) return key.status();
  const auto sealed =
      Seal(*key, SealFields(info, key_id), Pack(value).RevealSecret());
  absl::Status status =
      database_.Prepare("INSERT OR REPLACE INTO secrets VALUES(?, ?, ?)")
          .Bind(info.path)
          .Bind(key_id)
          .Bind(sealed)
          .Run();
  if (status.ok()) {
    status = database_
                 .Prepare(
                     "INSERT OR REPLACE INTO bindings "
                     "VALUES(?, ?, ?, ?, ?, ?)")
                 .Bind(info.path)
                 .Bind(info.policy)
                 .Bind(static_cast<int64_t>(info.trust_class))
                 .Bind(info.version)
                 .Bind(static_cast<int64_t>(info.kind))
                 .Bind(keys_.RowMac(BindingFields(info)))
                 .Run();
  }
  if (status.ok()) status = RaiseGeneration();
  return status;
}

absl::StatusOr<SecretInfo> Store::AddSecret(std::string_view path,
                                            TrustClass trust_class,
                                            const SecretValue& value) {
  if (!ValidName(path)) {
    return Error(kNameInvalid, absl::StatusCode::kInvalidArgument, path);
  }
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  const auto existing = FindSecret(path);
  if (!existing.ok()) return existing.status();
  if (*existing) {
    return TakenBy(**existing, trust_class, value.kind);
  }
  const auto policies = Policies();
  if (!policies.ok()) return policies.status();
  SecretInfo info{.path = std::string(path),
                  .version = 1,
                  .trust_class = trust_class,
                  .kind = value.kind};
  for (const Policy& policy : *policies) {
    // PutPolicy lets no two govern one path.
    if (!policy.Governs(path)) continue;
    info.policy = policy.name;
    const absl::Status status = CheckClass(policy, info);
    if (!status.ok()) return status;
  }
  absl::Status status = WriteSecret(info, value);
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return info;
}

absl::StatusOr<SecretInfo> Store::ReplaceSecret(std::string_view path,
                                                const SecretValue& value) {
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  const auto existing = FindSecret(path);
  if (!existing.ok()) return existing.status();
  if (!*existing) {
    return UnknownSecret(path);
  }
  SecretInfo info = **existing;
  ++info.version;
  info.kind = value.kind;
  absl::Status status = WriteSecret(info, value);
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return info;
}

absl::Status Store::RemoveSecret(std::string_view path) {
  Transaction transaction(database_);
  if (!transaction.status().ok()) return transaction.status();
  auto statement =
      database_.Prepare("DELETE FROM bindings WHERE path = ? RETURNING 1");
  const auto row = statement.Bind(path).Step();
  if (!row.ok()) return row.status();
  if (!*row) {
    return UnknownSecret(path);
  }
  absl::Status status = statement.Run();
  if (status.ok()) {
    status = database_.Prepare("DELETE FROM secrets WHERE path = ?")
                 .Bind(path)
                 .Run();
  }
  if (status.ok()) status = RaiseGeneration();
  if (status.ok()) status = transaction.Commit();
  return status;
}

absl::StatusOr<std::optional<SecretInfo>> Store::FindSecret(
    std::string_view path) {
  auto statement = database_.Prepare(
      "SELECT policy, class, version, kind, mac FROM bindings WHERE path = ?");
  const auto row = statement.Bind(path).Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::optional<SecretInfo>();
  const std::string label = absl::StrCat("secret ", path);
  const auto trust_class = ClassFrom(statement.Int(1));
  const int64_t kind = statement.Int(3);
  if (!trust_class || (kind != static_cast<int64_t>(SecretKind::kData) &&
                       kind != static_cast<int64_t>(SecretKind::kLuks2))) {
    return RowTamperedWith(label);
  }
  SecretInfo info{.path = std::string(path),
                  .version = statement.Int(2),
                  .trust_class = *trust_class,
                  .policy = statement.Text(0),
                  .kind = static_cast<SecretKind>(kind)};
  if (!keys_.RowMacMatches(BindingFields(info), statement.Blob(4))) {
    return RowTamperedWith(label);
  }
  return std::optional<SecretInfo>(std::move(info));
}

absl::StatusOr<std::vector<SecretInfo>> Store::Secrets() {
  std::vector<std::string> paths;
  auto statement = database_.Prepare("SELECT path FROM bindings ORDER BY path");
  for (;;) {
    const auto row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    paths.push_back(statement.Text(0));
  }
  std::vector<SecretInfo> secrets;
  for (const std::string& path : paths) {
    const auto info = FindSecret(path);
    if (!info.ok()) return info.status();
    if (*info) secrets.push_back(**info);
  }
  return secrets;
}

absl::Status Store::BindSecrets(const Policy& policy) {
  const auto paths = PathsBoundTo("");
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    if (!policy.Governs(path)) continue;
    auto found = FindSecret(path);
    if (!found.ok()) return found.status();
    if (!*found) continue;
    SecretInfo info = **found;
    absl::Status status = CheckClass(policy, info);
    if (!status.ok()) return status;
    const auto value = Unseal(info);
    if (!value.ok()) return value.status();
    info.policy = policy.name;
    ++info.version;
    status = WriteSecret(info, *value);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<SecretValue> Store::OpenSecret(const VerifiedReport& report,
                                              const SecretInfo& info) {
  if (report.trust_class() != info.trust_class) {
    return Error(kSecretClass, absl::StatusCode::kPermissionDenied, info.path);
  }
  return Unseal(info);
}

absl::StatusOr<SecretValue> Store::Unseal(const SecretInfo& info) {
  auto statement =
      database_.Prepare("SELECT key_id, sealed FROM secrets WHERE path = ?");
  const auto row = statement.Bind(info.path).Step();
  if (!row.ok()) return row.status();
  const absl::Status tampered =
      RowTamperedWith(absl::StrCat("secret ", info.path));
  if (!*row) return tampered;
  const std::string key_id = statement.Text(0);
  const std::vector<uint8_t> sealed = statement.Blob(1);
  if (sealed.size() <= kPrefix + ossl::kGcmOverhead) return tampered;
  const auto key = DataKey(key_id);
  if (!key.ok()) return key.status();
  Plain plain;
  const auto out = plain.ResizeForWrite(sealed.size() - ossl::kGcmOverhead);
  if (!out.ok()) return tampered;
  // `verifier::Open`, not the member.
  if (!verifier::Open(*key, SealFields(info, key_id), sealed, *out)) {
    return tampered;
  }
  return Unpack(info.kind, plain);
}

}  // namespace verifier
