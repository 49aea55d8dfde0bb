// SPDX-License-Identifier: Apache-2.0
//
// The daemon in this process: what goes wrong inside of it.
#include "host-proxy/server.h"

#include <future>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "absl/strings/match.h"
#include "asio.hpp"
#include "gtest/gtest.h"
#include "host-proxy/config.h"
#include "host-proxy/testing/daemon_fixture.h"

namespace host_proxy {
namespace {

using testing::Pattern;
using ServerTest = testing::DaemonTest;

TEST_F(ServerTest, AnExceptionEndsItsOwnConnectionOnly) {
  WriteConfig(2);
  const auto config = LoadConfig(folder_ / "proxy.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  asio::io_context io(1);
  std::promise<std::string> dropped;
  bool thrown = false;
  Server server(io, *config, 7, [&](std::string_view line) {
    if (!thrown && absl::StartsWith(line, "vm1: connected, says")) {
      thrown = true;
      throw std::runtime_error("no memory, say");
    }
    if (absl::StrContains(line, "dropped")) {
      dropped.set_value(std::string(line));
    }
  });
  ASSERT_TRUE(server.Listen().ok());
  std::thread thread([&] { io.run(); });

  const auto good = MakeGuest(2);
  EXPECT_TRUE(good->Open().ok());
  {
    const auto bad = MakeGuest(1);
    EXPECT_FALSE(bad->Open().ok());
  }
  auto line = dropped.get_future();
  EXPECT_EQ(line.wait_for(std::chrono::seconds(60)), std::future_status::ready);
  if (thrown) {
    EXPECT_EQ(line.get(), "vm1: connection dropped: no memory, say");
  }
  EXPECT_TRUE(good->Echo(Pattern(1000)).ok());
  const auto again = MakeGuest(1);
  EXPECT_TRUE(again->Open().ok());

  asio::post(io, [&] {
    server.ShutDown();
    io.stop();
  });
  thread.join();
}

}  // namespace
}  // namespace host_proxy
