// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/http.h"

#include <curl/curl.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

struct CurlDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};
using CurlPtr = std::unique_ptr<CURL, CurlDeleter>;
using UrlPtr = std::unique_ptr<CURLU, CurlDeleter>;

struct Body {
  size_t limit;
  std::vector<uint8_t> bytes;
  bool too_large = false;
};

size_t Write(char* data, size_t, size_t size, void* context) {
  auto* body = static_cast<Body*>(context);
  if (size > body->limit - body->bytes.size()) {
    body->too_large = true;
    return 0;  // Anything but `size` ends the transfer.
  }
  body->bytes.insert(body->bytes.end(), data, data + size);
  return size;
}

std::string PartOf(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, CurlDeleter> owner(text);
  return text;
}

absl::Status ErrorOf(CURLcode code, const std::string& url,
                     std::string_view message) {
  const std::string detail = absl::StrCat(
      url, ": ", message.empty() ? curl_easy_strerror(code) : message);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Error(kKdsDeadline, absl::StatusCode::kDeadlineExceeded, detail);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return Error(kKdsTls, detail);
    case CURLE_FILESIZE_EXCEEDED:
      return Error(kKdsTooLarge, detail);
    default:
      return Error(kKdsUnreachable, absl::StatusCode::kUnavailable, detail);
  }
}

// Options that cannot fail with these values on the libcurl that we build with.
void Configure(CURL* handle, const std::string& url, const HttpLimits& limits,
               Body* body, char* message) {
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "forelock");
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(limits.connect.count()));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS,
                   static_cast<long>(limits.total.count()));
  curl_easy_setopt(handle, CURLOPT_MAXFILESIZE, static_cast<long>(limits.body));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Write);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, body);
}

}  // namespace

absl::StatusOr<std::string> CheckBaseUrl(const std::string& url) {
  const UrlPtr parsed(curl_url());
  if (parsed == nullptr ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return Error(kKdsUrl, url);
  }
  const std::string scheme = PartOf(parsed.get(), CURLUPART_SCHEME);
  const bool plain = PartOf(parsed.get(), CURLUPART_USER).empty() &&
                     PartOf(parsed.get(), CURLUPART_PASSWORD).empty() &&
                     url.find_first_of("?#") == std::string::npos;
  if ((scheme != "https" && scheme != "http") || !plain) {
    return Error(kKdsUrl, url);
  }
  return url.substr(0, url.find_last_not_of('/') + 1);
}

absl::StatusOr<HttpAnswer> HttpGet(const std::string& url,
                                   const HttpLimits& limits) {
  static const CURLcode kGlobal = curl_global_init(CURL_GLOBAL_DEFAULT);
  const CurlPtr handle(kGlobal == CURLE_OK ? curl_easy_init() : nullptr);
  if (handle == nullptr) {
    return Error(kKdsUnreachable, "libcurl does not start");
  }
  Body body{.limit = limits.body, .bytes = {}};
  char message[CURL_ERROR_SIZE] = "";
  Configure(handle.get(), url, limits, &body, message);
  const CURLcode code = curl_easy_perform(handle.get());
  if (body.too_large) return Error(kKdsTooLarge, url);
  if (code != CURLE_OK) return ErrorOf(code, url, message);
  HttpAnswer answer;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  curl_easy_getinfo(handle.get(), CURLINFO_RETRY_AFTER, &retry_after);
  answer.retry_after = static_cast<long>(retry_after);
  answer.body = std::move(body.bytes);
  return answer;
}

}  // namespace verifier
