// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/testing/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace verifier::testing {

HttpServer::HttpServer(Answer answer, SSL_CTX* tls)
    : answer_(std::move(answer)), context_(tls) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 8) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

HttpServer::~HttpServer() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

std::string HttpServer::url(std::string_view scheme) const {
  return absl::StrCat(scheme, "://127.0.0.1:", port_);
}

std::vector<std::string> HttpServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void HttpServer::Serve() {
  for (;;) {
    const int peer = accept(listener_, nullptr, nullptr);
    if (peer < 0) return;
    ServeOne(peer);
    close(peer);
  }
}

long HttpServer::Read(int peer, char* buffer, size_t size) {
  if (tls_ == nullptr) return read(peer, buffer, size);
  return SSL_read(tls_.get(), buffer, static_cast<int>(size));
}

void HttpServer::Write(int peer, std::string_view text) {
  while (!text.empty()) {
    const long put =
        tls_ == nullptr
            ? send(peer, text.data(), text.size(), MSG_NOSIGNAL)
            : SSL_write(tls_.get(), text.data(), static_cast<int>(text.size()));
    if (put <= 0) return;
    text.remove_prefix(static_cast<size_t>(put));
  }
}

void HttpServer::ServeOne(int peer) {
  tls_.reset();
  if (context_ != nullptr) {
    tls_.reset(SSL_new(context_));
    SSL_set_fd(tls_.get(), peer);
    if (SSL_accept(tls_.get()) != 1) return;
  }
  char buffer[4096];
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const long got = Read(peer, buffer, sizeof buffer);
    if (got <= 0) return;
    request.append(buffer, static_cast<size_t>(got));
  }
  // "GET /path HTTP/1.1"
  const size_t start = request.find(' ') + 1;
  const std::string path =
      request.substr(start, request.find(' ', start) - start);
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(path);
  }
  const std::string answer = answer_(path);
  if (answer.empty()) {
    while (Read(peer, buffer, sizeof buffer) > 0) {
    }
  }
  Write(peer, answer);
}

std::string HttpText(std::string_view head, std::string_view body) {
  return absl::StrCat("HTTP/1.1 ", head, "\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

void UseNoProxy() { setenv("no_proxy", "*", 1); }

}  // namespace verifier::testing
