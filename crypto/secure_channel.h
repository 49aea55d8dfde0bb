// SPDX-License-Identifier: Apache-2.0
//
// SecureChannel: an authenticated, encrypted byte stream that can name itself.
// TlsClient is one; a test may be another.
#pragma once

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"

namespace crypto {

class SecureChannel : public base::ByteStream {
 public:
  // RFC 8446, 7.5: fills `out` with keying material that only the two ends of
  // this very session can compute.
  //   kFailedPrecondition: the handshake is not over, or failed.
  virtual base::Status Export(const char* label, base::Bytes context,
                              base::MutableBytes out) = 0;

 protected:
  ~SecureChannel() = default;
};

}  // namespace crypto
