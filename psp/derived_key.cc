// SPDX-License-Identifier: Apache-2.0
#include "psp/derived_key.h"

#include <stdlib.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "openssl/bn.h"
#include "openssl/core_names.h"
#include "openssl/hmac.h"
#include "openssl/rand.h"
#include "openssl/sha.h"
#include "sev/secrets_page.h"

namespace psp {
namespace {

using hosted::openssl::BnPtr;

constexpr std::string_view kLabel = "Forelock emulated MSG_KEY_REQ 1";
constexpr size_t kScalarSize = 48;  // P-384

std::span<uint8_t> Resize(auto& buffer, size_t size) {
  return *buffer.ResizeForWrite(size);
}

// What is mixed in, each field at its own place: a field that is not selected
// is zero, and the selection says so.
class Mix {
 public:
  void Add(base::Bytes bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  template <typename T>
  void AddLe(T value) {
    std::array<uint8_t, sizeof(T)> bytes;
    base::StoreLe<T>(value, std::span<uint8_t, sizeof(T)>(bytes));
    Add(bytes);
  }
  void AddIf(bool selected, base::Bytes bytes) {
    if (selected) {
      Add(bytes);
    } else {
      bytes_.resize(bytes_.size() + bytes.size());
    }
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace

// OpenSSL fails here only for want of memory, or of any entropy at all.

RootSecret RootSecretOf(EVP_PKEY* chip_key) {
  BIGNUM* number = nullptr;
  std::array<uint8_t, kScalarSize> scalar{};
  if (EVP_PKEY_get_bn_param(chip_key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
    abort();
  }
  const BnPtr owner(number);
  if (BN_bn2binpad(number, scalar.data(), kScalarSize) != kScalarSize) abort();
  RootSecret root;
  SHA256(scalar.data(), scalar.size(),
         Resize(root, SHA256_DIGEST_LENGTH).data());
  base::SecureZero(scalar.data(), scalar.size());
  return root;
}

RootSecret NewVmrk() {
  RootSecret root;
  const auto out = Resize(root, SHA256_DIGEST_LENGTH);
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) abort();
  return root;
}

bool MayDerive(const sev::KeyRequest& request, uint8_t vmpck,
               const GuestContext& guest, uint64_t committed_tcb,
               sev::Product product) {
  const sev::Tcb wanted = sev::DecodeTcb(request.tcb_version, product);
  return request.vmpl >= vmpck && request.vmpl < sev::kVmpckCount &&
         request.guest_svn <= guest.guest_svn &&
         sev::EncodeTcb(wanted, product) == request.tcb_version &&
         sev::AtLeast(sev::DecodeTcb(committed_tcb, product), wanted);
}

DerivedKey DeriveKey(const RootSecret& root, const sev::KeyRequest& request,
                     const GuestContext& guest) {
  const auto selected = [&](uint64_t field) {
    return (request.fields & field) != 0;
  };
  std::array<uint8_t, 8> policy{};
  base::StoreLe<uint64_t>(guest.policy, std::span<uint8_t, 8>(policy));
  Mix mix;
  mix.Add(base::AsBytes(kLabel));
  mix.AddLe<uint64_t>(request.fields);
  mix.AddLe<uint32_t>(request.vmpl);
  mix.AddIf(selected(sev::kKeyFieldGuestPolicy), policy);
  mix.AddIf(selected(sev::kKeyFieldImageId), guest.image_id);
  mix.AddIf(selected(sev::kKeyFieldFamilyId), guest.family_id);
  mix.AddIf(selected(sev::kKeyFieldMeasurement), guest.measurement);
  mix.AddLe<uint32_t>(selected(sev::kKeyFieldGuestSvn) ? request.guest_svn : 0);
  mix.AddLe<uint64_t>(selected(sev::kKeyFieldTcbVersion) ? request.tcb_version
                                                         : 0);

  const auto key = root.RevealSecret();
  DerivedKey derived;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           mix.bytes().data(), mix.bytes().size(),
           Resize(derived, sev::kDerivedKeySize).data(), nullptr) == nullptr) {
    abort();
  }
  return derived;
}

}  // namespace psp
