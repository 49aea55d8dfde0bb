// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/name_lookup.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "asio.hpp"
#include "gtest/gtest.h"

namespace host_proxy {
namespace {

using std::chrono::minutes;

class NameLookupTest : public ::testing::Test {
 protected:
  static NameLookup::Answer Good(const char* address) {
    return {{}, {asio::ip::make_address(address)}};
  }
  static NameLookup::Answer Bad() {
    return {asio::error::host_not_found_try_again, {}};
  }
  // Ends the oldest lookup under way.
  void End(NameLookup::Answer answer) {
    auto done = std::move(calls_.front().second);
    calls_.erase(calls_.begin());
    done(std::move(answer));
  }

  std::vector<std::pair<std::string, NameLookup::Done>> calls_;
  std::shared_ptr<NameLookup> lookup_ = std::make_shared<NameLookup>(
      [this](const std::string& host, NameLookup::Done done) {
        calls_.emplace_back(host, std::move(done));
      });
  NameLookup::Time now_ = std::chrono::steady_clock::now();
};

TEST_F(NameLookupTest, OneIsUnderWayAtMost) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(lookup_->Ask("a", now_).has_value());
    EXPECT_FALSE(lookup_->Ask("b", now_).has_value());
  }
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(calls_[0].first, "a");
  End(Good("192.0.2.1"));
  EXPECT_FALSE(lookup_->Ask("b", now_).has_value());
  ASSERT_EQ(calls_.size(), 1u);
  EXPECT_EQ(calls_[0].first, "b");
  EXPECT_EQ(lookup_->Ask("a", now_)->addresses, Good("192.0.2.1").addresses);
}

TEST_F(NameLookupTest, TheLastGoodAnswerOutlivesFailures) {
  lookup_->Ask("a", now_);
  End(Good("192.0.2.1"));
  now_ += minutes(1);
  EXPECT_FALSE(lookup_->Ask("a", now_).has_value());
  ASSERT_EQ(calls_.size(), 1u);
  // The name service hangs, then fails.
  EXPECT_EQ(lookup_->Ask("a", now_)->addresses, Good("192.0.2.1").addresses);
  End(Bad());
  EXPECT_EQ(lookup_->Ask("a", now_)->addresses, Good("192.0.2.1").addresses);
  EXPECT_TRUE(calls_.empty());
  now_ += minutes(1);
  lookup_->Ask("a", now_);
  End(Good("192.0.2.2"));
  EXPECT_EQ(lookup_->Ask("a", now_)->addresses, Good("192.0.2.2").addresses);
}

TEST_F(NameLookupTest, AFailureIsToldAndTriedAgain) {
  lookup_->Ask("a", now_);
  End(Bad());
  EXPECT_TRUE(lookup_->Ask("a", now_)->error);
  now_ += minutes(1);
  EXPECT_FALSE(lookup_->Ask("a", now_).has_value());
  EXPECT_EQ(calls_.size(), 1u);
}

TEST_F(NameLookupTest, AnAnswerThatComesTooLateHarmsNothing) {
  lookup_->Ask("a", now_);
  lookup_.reset();
  End(Bad());
}

}  // namespace
}  // namespace host_proxy
