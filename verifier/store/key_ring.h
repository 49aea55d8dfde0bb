// SPDX-License-Identifier: Apache-2.0
//
// The keys of one state folder. The master key stands in a file of its own;
// everything else is derived from it or wrapped under it (design section 7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

// Length-prefixed fields: what a MAC or an AEAD's associated data covers. The
// label keeps one table's rows from standing in for another's.
class Fields {
 public:
  explicit Fields(std::string_view label) { Add(label); }
  Fields& Add(std::string_view text) { return Add(ossl::AsBytes(text)); }
  Fields& Add(base::Bytes bytes);
  Fields& Add(int64_t number);
  base::Bytes bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

using Key = base::SecretBuffer<32>;

class KeyRing {
 public:
  // A new file of 32 random bytes, mode 0600. AlreadyExists: it is there.
  static absl::Status CreateMasterKey(const std::string& path);
  // FailedPrecondition (kMasterKeyWrong): missing, of another size, or readable
  // by others.
  static absl::StatusOr<KeyRing> Load(const std::string& path);

  ossl::Digest256 RowMac(const Fields& fields) const;
  bool RowMacMatches(const Fields& fields, base::Bytes mac) const;

  // A new random data key, wrapped for `key_id`.
  std::vector<uint8_t> NewWrappedDataKey(std::string_view key_id) const;
  std::optional<Key> Unwrap(std::string_view key_id, base::Bytes wrapped) const;

 private:
  KeyRing() = default;
  Key row_key_;
  Key wrap_key_;
};

// AES-256-GCM under a data key, associated data `fields`.
std::vector<uint8_t> Seal(const Key& key, const Fields& fields,
                          base::Bytes plain);
// Into `plain`, of exactly the sealed size. false: not authentic.
bool Open(const Key& key, const Fields& fields, base::Bytes sealed,
          base::MutableBytes plain);

}  // namespace verifier
