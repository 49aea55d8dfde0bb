// SPDX-License-Identifier: Apache-2.0
#include "hosted/openssl/openssl.h"

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "openssl/err.h"

namespace hosted::openssl {
namespace {

int freed = 0;
void Free(int* object) {
  ++freed;
  delete object;
}

TEST(Openssl, AnOwnerFreesOnceAndNeverNull) {
  using Owner = std::unique_ptr<int, Deleter<Free>>;
  {
    const Owner none;
  }
  EXPECT_EQ(freed, 0);
  {
    const Owner moved = Owner(new int(1));
  }
  EXPECT_EQ(freed, 1);
}

TEST(Openssl, TheOldestErrorIsTakenAndTheQueueEmptied) {
  EXPECT_EQ(TakeError(), "no error");
  ERR_raise(ERR_LIB_EVP, EVP_R_BAD_DECRYPT);
  ERR_raise(ERR_LIB_EVP, EVP_R_DECODE_ERROR);
  const absl::Status status = Failure("decrypting");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StartsWith(status.message(), "decrypting: error:"));
  EXPECT_TRUE(absl::StrContains(status.message(), "bad decrypt")) << status;
  EXPECT_EQ(TakeError(), "no error");
}

}  // namespace
}  // namespace hosted::openssl
