// SPDX-License-Identifier: Apache-2.0
//
// FakeChannel: a SecureChannel without TLS. Two of them with the same session
// key export the same bytes, as the two ends of a session do.
#pragma once

#include <stdint.h>
#include <string.h>

#include <algorithm>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/secure_channel.h"

namespace attest::testing {

class FakeChannel final : public crypto::SecureChannel {
 public:
  explicit FakeChannel(base::ByteStream& lower, uint8_t session_key = 1)
      : lower_(lower), session_key_(session_key) {}

  base::Result<size_t> Read(base::MutableBytes out) override {
    return lower_.Read(out);
  }
  base::Result<size_t> Write(base::Bytes bytes) override {
    return lower_.Write(bytes);
  }
  base::Status Export(const char* label, base::Bytes context,
                      base::MutableBytes out) override {
    if (!export_failure.ok()) return export_failure;
    crypto::Sha384 hash;
    hash.Update({&session_key_, 1});
    hash.Update({reinterpret_cast<const uint8_t*>(label), strlen(label)});
    hash.Update(context);
    const crypto::Sha384Digest digest = hash.Finish();
    std::copy_n(digest.begin(), std::min(out.size(), digest.size()),
                out.begin());
    return {};
  }

  base::Status export_failure;

 private:
  base::ByteStream& lower_;
  uint8_t session_key_;
};

}  // namespace attest::testing
