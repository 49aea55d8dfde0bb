// SPDX-License-Identifier: Apache-2.0
//
// The host's end of a doorbell port: what QEMU's socket chardev with
// server=off,reconnect=1 is. Bytes go to a unix socket; while nobody listens
// there they are dropped.
#pragma once

#include <stdint.h>

#include <chrono>
#include <string>
#include <utility>

namespace machine {

class Chardev {
 public:
  explicit Chardev(std::string path) : path_(std::move(path)) {}
  ~Chardev() { Close(); }
  Chardev(const Chardev&) = delete;
  Chardev& operator=(const Chardev&) = delete;

  // As QEMU, at start: false if nobody listens.
  bool Connect();
  // Connects again if it must, at most once a second. A listener that does not
  // read stops the virtual CPU, as it does in QEMU.
  void Write(uint8_t byte);

 private:
  void Close();
  bool HungUp() const;

  const std::string path_;
  int fd_ = -1;
  std::chrono::steady_clock::time_point next_try_{};
};

}  // namespace machine
