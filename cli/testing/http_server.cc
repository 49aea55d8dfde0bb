// SPDX-License-Identifier: Apache-2.0
#include "cli/testing/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace cli::testing {

HttpServer::HttpServer(Answer answer) : answer_(std::move(answer)) {
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

void HttpServer::ServeOne(int peer) {
  char buffer[4096];
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = read(peer, buffer, sizeof buffer);
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
    while (read(peer, buffer, sizeof buffer) > 0) {
    }
  }
  for (size_t sent = 0; sent < answer.size();) {
    const ssize_t put =
        send(peer, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) return;
    sent += static_cast<size_t>(put);
  }
}

std::string HttpText(std::string_view head, std::string_view body) {
  return absl::StrCat("HTTP/1.1 ", head, "\r\nContent-Length: ", body.size(),
                      "\r\nConnection: close\r\n\r\n", body);
}

void UseNoProxy() { setenv("no_proxy", "*", 1); }

}  // namespace cli::testing
