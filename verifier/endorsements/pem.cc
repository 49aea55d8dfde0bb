// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "verifier/ossl/ossl.h"

namespace verifier {
namespace {

bool OnlyWhiteSpace(base::Bytes bytes) {
  return std::ranges::all_of(bytes, [](uint8_t c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
  });
}

}  // namespace

std::vector<uint8_t> DerOf(base::Bytes bytes, std::string_view label) {
  if (bytes.empty() || bytes[0] == kDerSequence) {
    return {bytes.begin(), bytes.end()};
  }
  const ossl::BioPtr bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  char* name = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;
  std::vector<uint8_t> der;
  if (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    // A second block, or text after the first, is not skipped.
    const bool alone =
        OnlyWhiteSpace(bytes.last(static_cast<size_t>(BIO_pending(bio.get()))));
    if (alone && name == label && header[0] == '\0') {
      der.assign(data, data + size);
    }
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  ERR_clear_error();
  return der;
}

}  // namespace verifier
