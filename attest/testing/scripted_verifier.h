// SPDX-License-Identifier: Apache-2.0
//
// ScriptedVerifier: the verifier's end of a session, in a few lines, that
// answers honestly unless it is told to answer something else. It checks report
// data by its own computation, and no signature.
#pragma once

#include <stdint.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "attest/message_pipe.h"
#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secure_channel.h"
#include "proto/attest.h"

namespace attest::testing {

struct ScriptedSecret {
  std::string name;
  std::vector<uint8_t> value;
  bool is_luks2 = false;
  uint64_t header_length = 0;
  std::vector<uint8_t> header_sha256;
};

// `body` behind its length, as it stands on the wire.
std::vector<uint8_t> Framed(base::Bytes body);

class ScriptedVerifier {
 public:
  using Frame = std::vector<uint8_t>;  // length and body
  using Change = std::function<void(Frame&)>;

  explicit ScriptedVerifier(crypto::SecureChannel& channel)
      : channel_(channel) {}

  // Does what can be done now; kDone: it has the receipt.
  base::Result<base::Step> Advance();

  // --- The script.
  bool certificates_wanted = true;
  proto::Outcome outcome = proto::Outcome::kGranted;
  std::vector<ScriptedSecret> secrets;
  std::array<uint8_t, proto::kAttestNonceSize> nonce = {1, 2, 3};
  // Last changes to what is sent: an empty frame is not sent at all.
  Change change_challenge;
  Change change_verdict;

  // --- What it saw.
  std::vector<uint8_t> request;
  std::vector<uint8_t> challenge;  // as sent, without its length
  std::vector<uint8_t> evidence;
  std::vector<uint8_t> report;
  std::vector<uint8_t> certificates;
  std::vector<uint8_t> boot_manifest;
  bool report_data_matches = false;
  bool has_receipt = false;
  proto::AttestReceipt receipt;

 private:
  enum class Wants { kRequest, kEvidence, kReceipt, kNothing };

  base::Result<base::Step> Receive(std::vector<uint8_t>& out);
  void Send(Frame frame);
  Frame MakeChallenge();
  Frame MakeVerdict();
  base::Status OnEvidence();

  crypto::SecureChannel& channel_;
  Wants wants_ = Wants::kRequest;
  bool receiving_ = false;
  MessageReceiver receiver_;
  std::vector<uint8_t> buffer_;
  std::vector<uint8_t> unsent_;
};

}  // namespace attest::testing
