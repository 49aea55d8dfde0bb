// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/split.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "verifier/ossl/ossl.h"

namespace verifier {
namespace {

constexpr uint8_t kDerSequence = 0x30;
constexpr size_t kMaxParts = 64;

using CrlPtr = std::unique_ptr<X509_CRL, ossl::Deleter<X509_CRL_free>>;

absl::Status TooMany() {
  return absl::InvalidArgumentError("more than 64 certificates");
}

// One after the other, each a certificate or a CRL.
absl::StatusOr<SplitFile> SplitDer(base::Bytes bytes) {
  SplitFile out;
  while (!bytes.empty()) {
    if (out.certificates.size() + out.crls.size() >= kMaxParts) {
      return TooMany();
    }
    const auto size = static_cast<long>(bytes.size());
    const uint8_t* at = bytes.data();
    const ossl::X509Ptr certificate(d2i_X509(nullptr, &at, size));
    auto* list = &out.certificates;
    if (!certificate) {
      at = bytes.data();
      const CrlPtr crl(d2i_X509_CRL(nullptr, &at, size));
      ERR_clear_error();
      if (!crl) {
        return absl::InvalidArgumentError("neither a certificate nor a CRL");
      }
      list = &out.crls;
    }
    const auto used = static_cast<size_t>(at - bytes.data());
    list->emplace_back(bytes.begin(), bytes.begin() + (at - bytes.data()));
    bytes = bytes.subspan(used);
  }
  return out;
}

absl::StatusOr<SplitFile> SplitPem(base::Bytes bytes) {
  SplitFile out;
  const ossl::BioPtr bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  for (;;) {
    char* name = nullptr;
    char* header = nullptr;
    uint8_t* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
      // The end, unless a block began.
      const unsigned long error = ERR_peek_last_error();
      ERR_clear_error();
      if (ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
        return absl::InvalidArgumentError("a damaged PEM block");
      }
      break;
    }
    const std::string label = name;
    std::vector<uint8_t> der(data, data + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (out.certificates.size() + out.crls.size() >= kMaxParts) {
      return TooMany();
    }
    if (label == "CERTIFICATE") {
      out.certificates.push_back(std::move(der));
    } else if (label == "X509 CRL") {
      out.crls.push_back(std::move(der));
    } else {
      return absl::InvalidArgumentError("a PEM block of another kind");
    }
  }
  if (out.certificates.empty() && out.crls.empty()) {
    return absl::InvalidArgumentError("neither DER nor PEM");
  }
  return out;
}

}  // namespace

absl::StatusOr<SplitFile> SplitCertificates(base::Bytes bytes) {
  if (bytes.empty()) return absl::InvalidArgumentError("empty");
  return bytes[0] == kDerSequence ? SplitDer(bytes) : SplitPem(bytes);
}

}  // namespace verifier
