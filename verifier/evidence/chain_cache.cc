// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/chain_cache.h"

#include <utility>

namespace verifier {
std::shared_ptr<const Chain> ChainCache::Find(const ossl::Digest256& key,
                                              time_t now) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return nullptr;
  const Chain& chain = *found->second.chain;
  if (now < chain.not_before || now >= chain.not_after) {
    // Gone for good if it expired; verified again if the clock went back.
    uses_.erase(found->second.use);
    entries_.erase(found);
    return nullptr;
  }
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.chain;
}

void ChainCache::Insert(const ossl::Digest256& key,
                        std::shared_ptr<const Chain> chain) {
  if (max_entries_ == 0 || !chain || !chain->verified) return;
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = entries_.try_emplace(key);
  if (is_new) {
    uses_.push_front(key);
  } else {
    uses_.splice(uses_.begin(), uses_, at->second.use);
  }
  at->second = {.chain = std::move(chain), .use = uses_.begin()};
  while (entries_.size() > max_entries_) {
    entries_.erase(uses_.back());
    uses_.pop_back();
  }
}

size_t ChainCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace verifier
