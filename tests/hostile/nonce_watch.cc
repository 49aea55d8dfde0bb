// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/nonce_watch.h"

#include "absl/strings/str_cat.h"
#include "psp/message_cipher.h"

namespace hostile {

using psp::OpenMessage;

std::optional<std::string> NonceWatch::Saw(sev::ConstMessagePage page,
                                           const sev::Vmpck& vmpck0) {
  const auto header = sev::ReadMessageHeader(page);
  if (!header.ok() || header->vmpck != 0) return std::nullopt;
  std::vector<uint8_t> plain(header->size);
  if (!OpenMessage(vmpck0, *header, page, plain)) return std::nullopt;
  // The rest of the page is not of the message: the host may write there.
  std::vector<uint8_t> bytes(page.begin(), page.begin() + sev::kMessageTagSize);
  const auto sealed =
      page.subspan(sev::kMessageAadOffset, sev::kMessageAadSize + header->size);
  bytes.insert(bytes.end(), sealed.begin(), sealed.end());
  const auto [it, inserted] = seen_.emplace(header->sequence_number, bytes);
  if (inserted) return std::nullopt;
  if (it->second == bytes) {
    ++repetitions_;
    return std::nullopt;
  }
  return absl::StrCat("two messages under sequence number ",
                      header->sequence_number);
}

}  // namespace hostile
