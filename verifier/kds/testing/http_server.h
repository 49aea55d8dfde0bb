// SPDX-License-Identifier: Apache-2.0
//
// An HTTP server on the loopback interface for one test, in a thread of its
// own. Each connection gets one answer; it is no server for anything else.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "verifier/ossl/ossl.h"

namespace verifier::testing {

class HttpServer {
 public:
  // From a path ("/vcek/v1/Milan/crl") to all bytes of the answer. Empty: keeps
  // the connection and says nothing until the client gives up.
  using Answer = std::function<std::string(const std::string& path)>;

  // With a context: over TLS. Borrowed.
  explicit HttpServer(Answer answer, SSL_CTX* tls = nullptr);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "http://127.0.0.1:PORT"
  std::string url(std::string_view scheme = "http") const;
  // The paths that were asked for.
  std::vector<std::string> requests() const;

 private:
  void Serve();
  void ServeOne(int peer);
  // Of `tls_` or the bare connection.
  long Read(int peer, char* buffer, size_t size);
  void Write(int peer, std::string_view text);

  Answer answer_;
  SSL_CTX* context_;
  ossl::SslPtr tls_;  // Of the connection served.
  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

// "404 Not Found" and a body as a whole answer; `head` may have more lines.
std::string HttpText(std::string_view head, std::string_view body = "");

// libcurl takes no proxy of the environment for any address.
void UseNoProxy();

}  // namespace verifier::testing
