// SPDX-License-Identifier: Apache-2.0
#include "verifier/store/key_ring.h"

#include <array>
#include <span>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/store/files.h"

namespace verifier {
namespace {

constexpr size_t kKeySize = 32;

Key Derive(base::Bytes master, std::string_view info) {
  ossl::Digest256 bytes = ossl::HkdfSha256(master, info);
  Key key = *Key::CopyFrom(bytes);
  base::SecureZero(bytes.data(), bytes.size());
  return key;
}

std::span<const uint8_t, kKeySize> KeyBytes(const Key& key) {
  return key.RevealSecret().first<kKeySize>();
}

Fields WrapFields(std::string_view key_id) {
  Fields fields("forelock data key v1");
  fields.Add(key_id);
  return fields;
}

}  // namespace

Fields& Fields::Add(base::Bytes bytes) {
  uint8_t size[4];
  base::StoreLe<uint32_t>(static_cast<uint32_t>(bytes.size()), size);
  bytes_.insert(bytes_.end(), size, size + sizeof size);
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Fields& Fields::Add(int64_t number) {
  uint8_t bytes[8];
  base::StoreLe<uint64_t>(static_cast<uint64_t>(number), bytes);
  return Add(base::Bytes(bytes));
}

absl::Status KeyRing::CreateMasterKey(const std::string& path) {
  std::array<uint8_t, kKeySize> master;
  ossl::RandomBytes(master);
  const absl::Status status = CreatePrivateFile(path, master);
  base::SecureZero(master.data(), master.size());
  return status;
}

absl::StatusOr<KeyRing> KeyRing::Load(const std::string& path) {
  // One byte more, to see a file that is too long.
  base::SecretBuffer<kKeySize + 1> master;
  const auto size = ReadPrivateFile(path, *master.ResizeForWrite(kKeySize + 1));
  if (!size.ok() || *size != kKeySize) {
    return Error(kMasterKeyWrong, absl::StatusCode::kFailedPrecondition,
                 size.ok() ? absl::StrCat(path, ": not 32 bytes")
                           : std::string(size.status().message()));
  }
  const base::Bytes bytes = master.RevealSecret().first(kKeySize);
  KeyRing ring;
  ring.row_key_ = Derive(bytes, "forelock verifier row mac v1");
  ring.wrap_key_ = Derive(bytes, "forelock verifier data key wrap v1");
  return ring;
}

ossl::Digest256 KeyRing::RowMac(const Fields& fields) const {
  return ossl::HmacSha256(row_key_.RevealSecret(), fields.bytes());
}

bool KeyRing::RowMacMatches(const Fields& fields, base::Bytes mac) const {
  return ossl::EqualConstantTime(RowMac(fields), mac);
}

std::vector<uint8_t> KeyRing::NewWrappedDataKey(std::string_view key_id) const {
  std::array<uint8_t, kKeySize> key;
  ossl::RandomBytes(key);
  auto wrapped = Seal(wrap_key_, WrapFields(key_id), key);
  base::SecureZero(key.data(), key.size());
  return wrapped;
}

std::optional<Key> KeyRing::Unwrap(std::string_view key_id,
                                   base::Bytes wrapped) const {
  Key key;
  if (!Open(wrap_key_, WrapFields(key_id), wrapped,
            *key.ResizeForWrite(kKeySize))) {
    return std::nullopt;
  }
  return key;
}

std::vector<uint8_t> Seal(const Key& key, const Fields& fields,
                          base::Bytes plain) {
  return ossl::Aes256GcmSeal(KeyBytes(key), fields.bytes(), plain);
}

bool Open(const Key& key, const Fields& fields, base::Bytes sealed,
          base::MutableBytes plain) {
  return ossl::Aes256GcmOpen(KeyBytes(key), fields.bytes(), sealed, plain);
}

}  // namespace verifier
