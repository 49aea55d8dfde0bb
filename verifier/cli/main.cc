// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdio>

#include "hosted/arguments.h"
#include "verifier/cli/commands.h"
#include "verifier/cli/private_memory.h"

int main(int argc, char** argv) {
  if (!verifier::KeepMemoryPrivate()) {
    perror("forelock-verifier: cannot keep its memory private");
    return hosted::kExitFailed;
  }
  // Nothing this program makes is for others (the database's own files too).
  umask(S_IRWXG | S_IRWXO);
  return hosted::Run(verifier::VerifierProgram(), argc, argv);
}
