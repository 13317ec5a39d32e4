// The C interface's handles as owning pointers, and its failures as Status.
#pragma once
#include "runtime/artifact/Status.h"
#include "runtime/xfmr.h"
#include <memory>

namespace xfmr::run {

struct CloseHandle {
  void operator()(xfmr_model *model) const { xfmr_model_close(model); }
  void operator()(xfmr_session *session) const { xfmr_session_close(session); }
  void operator()(xfmr_decoder *decoder) const { xfmr_decoder_close(decoder); }
};
using ModelHandle = std::unique_ptr<xfmr_model, CloseHandle>;
using SessionHandle = std::unique_ptr<xfmr_session, CloseHandle>;
using DecoderHandle = std::unique_ptr<xfmr_decoder, CloseHandle>;

inline Status checked(xfmr_status status) {
  return status == XFMR_OK ? Status::success() : Status::error(xfmr_last_error());
}

inline Status createSession(const ModelHandle &model, SessionHandle &out) {
  xfmr_session *session = nullptr;
  Status status = checked(xfmr_session_create(model.get(), &session));
  out.reset(session);
  return status;
}

inline xfmr_model_info infoOf(const ModelHandle &model) {
  xfmr_model_info info = {};
  xfmr_model_get_info(model.get(), &info);
  return info;
}

inline xfmr_model_details detailsOf(const ModelHandle &model) {
  xfmr_model_details details = {};
  details.size = sizeof details;
  xfmr_model_get_details(model.get(), &details);
  return details;
}

/// The phase that runs `tokens` tokens of a prompt at once.
inline const char *prefillPhase(const ModelHandle &model, uint32_t tokens) {
  const char *phase = "";
  xfmr_prefill_phase(model.get(), tokens, &phase);
  return phase;
}

} // namespace xfmr::run
