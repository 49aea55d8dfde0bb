// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/http.h"

#include <openssl/ssl.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hosted/status.h"
#include "verifier/finding.h"
#include "verifier/kds/testing/http_server.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using testing::HttpServer;
using testing::HttpText;

// The same answer for every request.
HttpServer::Answer Always(std::string text) {
  return [text](const std::string&) { return text; };
}

class Http : public ::testing::Test {
 protected:
  void SetUp() override { testing::UseNoProxy(); }
};

TEST_F(Http, GivesStatusBodyAndRetryAfter) {
  const HttpServer good(Always(HttpText("200 OK", "hello")));
  const auto answer = HttpGet(good.url(), {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(std::string(answer->body.begin(), answer->body.end()), "hello");

  const HttpServer busy(
      Always(HttpText("429 Slow down\r\nRetry-After: 7", "")));
  const auto throttled = HttpGet(busy.url(), {});
  ASSERT_TRUE(throttled.ok()) << throttled.status();
  EXPECT_EQ(throttled->status, 429);
  EXPECT_EQ(throttled->retry_after, 7);
}

TEST_F(Http, DoesNotFollowRedirects) {
  const HttpServer server(
      Always(HttpText("302 Found\r\nLocation: file:///etc/passwd", "")));
  const auto answer = HttpGet(server.url(), {});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 302);
  EXPECT_TRUE(answer->body.empty());
}

TEST_F(Http, TakesNoMoreThanTheLimit) {
  const std::string body(101, 'x');
  const HttpServer exact(Always(HttpText("200 OK", body)));
  EXPECT_TRUE(HttpGet(exact.url(), {.body = 101}).ok());
  const HttpServer announced(Always(HttpText("200 OK", body)));
  EXPECT_TRUE(hosted::Is(HttpGet(announced.url(), {.body = 100}).status(),
                         kKdsTooLarge));
  // Without a length, so that it is only seen while it arrives.
  const HttpServer unannounced(
      Always(absl::StrCat("HTTP/1.1 200 OK\r\n\r\n", body)));
  EXPECT_TRUE(hosted::Is(HttpGet(unannounced.url(), {.body = 100}).status(),
                         kKdsTooLarge));
}

TEST_F(Http, EndsAtItsDeadline) {
  const HttpServer silent(Always(""));
  const HttpLimits limits = {.total = std::chrono::milliseconds(100)};
  EXPECT_TRUE(hosted::Is(HttpGet(silent.url(), limits).status(), kKdsDeadline));
}

TEST_F(Http, SaysThatNobodyIsThere) {
  std::string url;
  {
    const HttpServer gone(Always(""));
    url = gone.url();
  }
  EXPECT_TRUE(hosted::Is(HttpGet(url, {}).status(), kKdsUnreachable));
  const HttpServer not_http(Always("nonsense\r\n\r\n"));
  EXPECT_FALSE(HttpGet(not_http.url(), {}).ok());
  const HttpServer not_tls(Always(HttpText("200 OK", "")));
  const HttpLimits soon = {.total = std::chrono::milliseconds(100)};
  EXPECT_FALSE(HttpGet(not_tls.url("https"), soon).ok());
}

TEST_F(Http, OnlyHttpAndHttps) {
  EXPECT_FALSE(HttpGet("file:///etc/passwd", {}).ok());
  for (const char* url :
       {"file:///etc/passwd", "ftp://kds.example", "kds.example", "https://",
        "https://user@kds.example", "https://u:p@kds.example",
        "https://kds.example/?x=1", "https://kds.example/#x", ""}) {
    EXPECT_TRUE(hosted::Is(CheckBaseUrl(url).status(), kKdsUrl)) << url;
  }
  EXPECT_EQ(*CheckBaseUrl("https://kds.example/"), "https://kds.example");
  EXPECT_EQ(*CheckBaseUrl("http://[::1]:8080/amd//"), "http://[::1]:8080/amd");
}

// A certificate of its own for 127.0.0.1, as somebody in between may have one.
ossl::SslCtxPtr SelfSigned() {
  ossl::PkeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  ossl::X509Ptr certificate(X509_new());
  X509_NAME* name = X509_get_subject_name(certificate.get());
  constexpr unsigned char kName[] = "127.0.0.1";
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kName, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key.get());
  EXPECT_GT(X509_sign(certificate.get(), key.get(), EVP_sha256()), 0);
  ossl::SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  EXPECT_EQ(SSL_CTX_use_certificate(context.get(), certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context.get(), key.get()), 1);
  return context;
}

TEST_F(Http, ChecksTheServersCertificate) {
  const auto context = SelfSigned();
  const HttpServer server(Always(HttpText("200 OK", "hello")), context.get());
  const auto answer = HttpGet(server.url("https"), {});
  EXPECT_TRUE(hosted::Is(answer.status(), kKdsTls)) << answer.status();
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace verifier
