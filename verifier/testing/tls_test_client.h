// SPDX-License-Identifier: Apache-2.0
//
// A blocking TLS client of the verifier's framing, for tests. Every wait ends
// after kPatience, so that a broken server fails a test instead of hanging it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/report_data.h"

namespace verifier::testing {

inline constexpr int kPatienceSeconds = 60;

class TlsTestClient {
 public:
  explicit TlsTestClient(uint16_t port)
      : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience = {.tv_sec = kPatienceSeconds};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // EDGE: the socket interface takes every address as a sockaddr.
    connected_ = connect(socket_, reinterpret_cast<const sockaddr*>(&address),
                         sizeof address) == 0;
    context_.reset(SSL_CTX_new(TLS_client_method()));
  }
  ~TlsTestClient() {
    ssl_.reset();
    close(socket_);
  }
  TlsTestClient(const TlsTestClient&) = delete;
  TlsTestClient& operator=(const TlsTestClient&) = delete;

  bool connected() const { return connected_; }
  SSL_CTX* context() { return context_.get(); }
  SSL* ssl() { return ssl_.get(); }
  int socket_fd() const { return socket_; }

  bool Handshake() {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), socket_);
    return SSL_connect(ssl_.get()) == 1;
  }

  bool SendRaw(base::Bytes bytes) {
    return send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool Write(base::Bytes bytes) {
    size_t written = 0;
    return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1;
  }
  bool Send(base::Bytes body) {
    std::array<uint8_t, 4> prefix;
    base::StoreLe<uint32_t>(static_cast<uint32_t>(body.size()), prefix);
    return Write(prefix) && Write(body);
  }
  // Empty: the server closed.
  std::vector<uint8_t> Receive() {
    std::array<uint8_t, 4> prefix;
    if (!Read(prefix)) return {};
    std::vector<uint8_t> body(base::LoadLe<uint32_t>(prefix));
    if (!Read(body)) return {};
    return body;
  }
  // True once the server closed the connection, whatever it sent before.
  bool ServerCloses() {
    uint8_t byte = 0;
    for (;;) {
      const ssize_t got = recv(socket_, &byte, 1, 0);
      if (got == 0) return true;
      if (got < 0) return errno == ECONNRESET;
    }
  }

  std::array<uint8_t, kSessionBindingSize> Binding(base::Bytes nonce) {
    std::array<uint8_t, kSessionBindingSize> out{};
    const std::string_view label = kExporterLabel;
    SSL_export_keying_material(ssl_.get(), out.data(), out.size(), label.data(),
                               label.size(), nonce.data(), nonce.size(), 1);
    return out;
  }

 private:
  bool Read(base::MutableBytes out) {
    while (!out.empty()) {
      size_t got = 0;
      if (SSL_read_ex(ssl_.get(), out.data(), out.size(), &got) != 1) {
        return false;
      }
      out = out.subspan(got);
    }
    return true;
  }

  int socket_;
  bool connected_ = false;
  ossl::SslCtxPtr context_;
  ossl::SslPtr ssl_;
};

}  // namespace verifier::testing
