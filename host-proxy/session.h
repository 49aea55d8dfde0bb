// SPDX-License-Identifier: Apache-2.0
//
// What the daemon does for one attached guest: a state machine between the
// channel's frames and a few connections. No sockets, no clock, no waiting, so
// that tests and fuzzers run the very code.
//
// Memory: the channel's two frame buffers, and per stream at most kStreamCredit
// bytes that the connection has not taken yet. A guest can get no more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "proto/channel.h"
#include "proxy/frame.h"

namespace host_proxy {

inline constexpr size_t kMaxStreams = 2;
inline constexpr uint32_t kStreamCredit = 16 * 1024;  // guest -> connection

// The outside of a session. `slot` is 0..kMaxStreams-1. Nothing here calls
// back into the session at once.
class SessionBackend {
 public:
  // Starts connecting; Session::OnConnected/OnConnectFailed follows later.
  // False: there is no endpoint of that name.
  virtual bool Connect(size_t slot, base::Bytes endpoint) = 0;
  // As base::ByteStream; 0: would block.
  virtual base::Result<size_t> Read(size_t slot, base::MutableBytes out) = 0;
  virtual base::Result<size_t> Write(size_t slot, base::Bytes bytes) = 0;
  // Ends the connection, or the attempt.
  virtual void Disconnect(size_t slot) = 0;
  // Certificate table for the chip; empty: none. At most
  // proto::channel::kMaxCertificateTable bytes.
  virtual std::vector<uint8_t> Certificates(base::Bytes chip_id,
                                            uint64_t tcb) = 0;
  virtual void OnProgress(const proto::channel::Progress& progress) = 0;
  virtual void OnHello(base::Bytes vm) = 0;

 protected:
  ~SessionBackend() = default;
};

class Session {
 public:
  // `label` is the host's name for the VM.
  Session(proxy::FrameChannel& channel, SessionBackend& backend,
          std::string label, uint64_t generation);

  // Forgets everything and disconnects: a new registration came, or none is
  // left.
  void Reset();

  enum class Outcome : uint8_t {
    kProgress,  // Something moved; call again soon.
    kIdle,      // Nothing to do until the guest rings or a connection wakes.
    kBlocked,   // The guest does not read: look again after a while.
    kFinished,  // The guest ended the session.
  };
  // Moves what can be moved, a bounded amount of it.
  //   Errors: the guest broke the rules, or the channel its own.
  base::Result<Outcome> Step();

  void OnConnected(size_t slot);
  void OnConnectFailed(size_t slot);
  // For the event loop: which readiness is worth waiting for.
  bool WantsRead(size_t slot) const;
  bool WantsWrite(size_t slot) const;

  // Tells the guest that the daemon ends; best effort, one frame.
  void AnnounceShutdown();

 private:
  enum class State : uint8_t {
    kFree,
    kConnecting,
    kConnected,  // Opened is still to be sent.
    kFailed,     // Refused is still to be sent.
    kOpen,
    kClosing,  // The guest closed; its last bytes are being written.
  };
  struct Stream {
    State state = State::kFree;
    uint32_t id = 0;
    uint32_t send_credit = 0;      // what the guest lets us send
    uint32_t receive_left = 0;     // what the guest may still send
    uint32_t credit_owed = 0;      // written on, not yet given back
    std::vector<uint8_t> pending;  // from the guest, not yet written
  };

  base::Status HandleFrame(const proxy::Frame& frame);
  base::Status HandleHello(base::Bytes body);
  base::Status HandleOpen(base::Bytes body);
  base::Status HandleData(base::Bytes body);
  base::Status HandleCredit(base::Bytes body);
  base::Status HandleClose(base::Bytes body);
  base::Status HandleGetCertificates(base::Bytes body);
  base::Status HandleProgress(base::Bytes body);

  base::Result<bool> ReceiveFrames();
  base::Result<bool> ServeStream(size_t slot);
  base::Result<bool> WritePending(size_t slot);
  base::Result<bool> AnswerOpen(size_t slot);
  base::Result<bool> ReturnCredit(Stream& stream);
  base::Result<bool> ReadConnection(size_t slot);
  base::Status EndStream(size_t slot, proto::channel::CloseReason reason);
  void Free(size_t slot);
  Stream* Find(uint32_t id, size_t* slot);
  bool Writable() const { return channel_.idle(); }

  proxy::FrameChannel& channel_;
  SessionBackend& backend_;
  const std::string label_;
  const uint64_t generation_;

  bool greeted_ = false;
  bool finished_ = false;
  uint32_t last_stream_ = 0;  // ids only grow
  uint32_t guest_credit_ = 0;
  size_t max_payload_ = 0;
  std::array<Stream, kMaxStreams> streams_;
};

}  // namespace host_proxy
