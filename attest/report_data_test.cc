// SPDX-License-Identifier: Apache-2.0
#include "attest/report_data.h"

#include <vector>

#include "base/testing/hex.h"
#include "gtest/gtest.h"

namespace attest {
namespace {

using base::testing::FromText;
using base::testing::ToHex;

// By another implementation:
//   import hashlib, struct
//   B = bytes(range(48)); R = b"a request"; C = b"a challenge"
//   p = lambda b: struct.pack("<I", len(b)) + b
//   T = hashlib.sha384(p(R) + p(C)).digest()
//   M = hashlib.sha384(b"a manifest").digest()
//   hashlib.sha512(b"forelock report data v1\0" + B + T + M).hexdigest()
TEST(ReportDataTest, KnownAnswer) {
  std::array<uint8_t, kSessionBindingSize> binding;
  for (size_t i = 0; i < binding.size(); ++i) {
    binding[i] = static_cast<uint8_t>(i);
  }
  const crypto::Sha384Digest transcript =
      TranscriptHash(FromText("a request"), FromText("a challenge"));
  EXPECT_EQ(ToHex(transcript),
            "1412ae5bf964cc125febd905f4a10d1c565651340407f718205a6e5d0557f289"
            "9fcb98e622c1dc470fea40652fbb33e0");
  EXPECT_EQ(
      ToHex(ComputeReportData(binding, transcript, FromText("a manifest"))),
      "dd1c84b4a72fe37d0296eddd1f148fb8eefbb287b89d4019d41592f00aa6576a"
      "df87be225f6966aa19af4c209f165024d21e61c08977833afd29dc229a98973c");
}

TEST(ReportDataTest, EveryInputCounts) {
  const std::array<uint8_t, kSessionBindingSize> binding = {};
  std::array<uint8_t, kSessionBindingSize> other = {};
  other[47] = 1;
  const auto transcript = TranscriptHash(FromText("r"), FromText("c"));
  const ReportData report_data =
      ComputeReportData(binding, transcript, FromText("m"));
  EXPECT_NE(report_data, ComputeReportData(other, transcript, FromText("m")));
  EXPECT_NE(report_data, ComputeReportData(binding, transcript, FromText("n")));
  EXPECT_NE(
      report_data,
      ComputeReportData(binding, TranscriptHash(FromText("s"), FromText("c")),
                        FromText("m")));
  // Bytes do not move from one message to the other.
  EXPECT_NE(TranscriptHash(FromText("ab"), FromText("c")),
            TranscriptHash(FromText("a"), FromText("bc")));
}

}  // namespace
}  // namespace attest
