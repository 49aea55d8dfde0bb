// SPDX-License-Identifier: Apache-2.0
#include "cli/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "cli/error.h"
#include "cli/reasons.h"
#include "gtest/gtest.h"

namespace cli {
namespace {

// Answers one connection on the loopback interface with these bytes, once the
// request is there. Without bytes it keeps the connection and says nothing.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener_, generic, size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  std::string url(std::string_view scheme = "http") const {
    return absl::StrCat(scheme, "://127.0.0.1:", port_, "/x?y=1");
  }

 private:
  void Serve() {
    const int peer = accept(listener_, nullptr, nullptr);
    if (peer < 0) return;
    char buffer[4096];
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = read(peer, buffer, sizeof buffer);
      if (got <= 0) break;
      request.append(buffer, static_cast<size_t>(got));
    }
    if (answer_.empty()) {
      // Until the client gives up.
      while (read(peer, buffer, sizeof buffer) > 0) {
      }
    }
    for (size_t sent = 0; sent < answer_.size();) {
      const ssize_t put = send(peer, answer_.data() + sent,
                               answer_.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) break;
      sent += static_cast<size_t>(put);
    }
    close(peer);
  }

  std::string answer_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string Answer(std::string_view head, std::string_view body) {
  return absl::StrCat("HTTP/1.1 ", head, "\r\nContent-Length: ", body.size(),
                      "\r\n\r\n", body);
}

class Http : public testing::Test {
 protected:
  // The environment's proxy is not for the loopback interface.
  void SetUp() override { setenv("no_proxy", "*", 1); }
};

TEST_F(Http, GivesStatusBodyAndRetryAfter) {
  const OneAnswer good(Answer("200 OK", "hello"));
  const auto answer = HttpGet(good.url(), {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(std::string(answer->body.begin(), answer->body.end()), "hello");

  const OneAnswer busy(Answer("429 Slow down\r\nRetry-After: 7", ""));
  const auto throttled = HttpGet(busy.url(), {});
  ASSERT_TRUE(throttled.ok()) << throttled.status();
  EXPECT_EQ(throttled->status, 429);
  EXPECT_EQ(throttled->retry_after, 7);
}

TEST_F(Http, DoesNotFollowRedirects) {
  const OneAnswer server(
      Answer("302 Found\r\nLocation: file:///etc/passwd", ""));
  const auto answer = HttpGet(server.url(), {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
  EXPECT_TRUE(answer->body.empty());
}

TEST_F(Http, TakesNoMoreThanTheLimit) {
  const std::string body(101, 'x');
  const OneAnswer exact(Answer("200 OK", body));
  EXPECT_TRUE(HttpGet(exact.url(), {.body = 101}).ok());
  const OneAnswer announced(Answer("200 OK", body));
  EXPECT_TRUE(
      Is(HttpGet(announced.url(), {.body = 100}).status(), kKdsTooLarge));
  // Without a length, so that it is only seen while it arrives.
  const OneAnswer unannounced(absl::StrCat("HTTP/1.1 200 OK\r\n\r\n", body));
  EXPECT_TRUE(
      Is(HttpGet(unannounced.url(), {.body = 100}).status(), kKdsTooLarge));
}

TEST_F(Http, EndsAtItsDeadline) {
  const OneAnswer silent("");
  const HttpLimits limits = {.total = std::chrono::milliseconds(100)};
  EXPECT_TRUE(Is(HttpGet(silent.url(), limits).status(), kKdsDeadline));
}

TEST_F(Http, SaysThatNobodyIsThere) {
  std::string url;
  {
    const OneAnswer gone("");
    url = gone.url();
  }
  EXPECT_TRUE(Is(HttpGet(url, {}).status(), kKdsUnreachable));
  const OneAnswer not_http("nonsense\r\n\r\n");
  EXPECT_FALSE(HttpGet(not_http.url(), {}).ok());
  const OneAnswer not_tls(Answer("200 OK", ""));
  const HttpLimits soon = {.total = std::chrono::milliseconds(100)};
  EXPECT_FALSE(HttpGet(not_tls.url("https"), soon).ok());
}

TEST_F(Http, OnlyHttpAndHttps) {
  EXPECT_FALSE(HttpGet("file:///etc/passwd", {}).ok());
  for (const char* url :
       {"file:///etc/passwd", "ftp://kds.example", "kds.example", "https://",
        "https://user@kds.example", "https://u:p@kds.example",
        "https://kds.example/?x=1", "https://kds.example/#x", ""}) {
    EXPECT_TRUE(Is(CheckBaseUrl(url).status(), kKdsUrl)) << url;
  }
  EXPECT_EQ(*CheckBaseUrl("https://kds.example/"), "https://kds.example");
  EXPECT_EQ(*CheckBaseUrl("http://[::1]:8080/amd//"), "http://[::1]:8080/amd");
}

}  // namespace
}  // namespace cli
