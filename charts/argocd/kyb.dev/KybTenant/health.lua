-- Health from the conditions: Ready is always there, Reconciling and Stalled only while true.
-- Nothing but Lua's base library is used: for scripts in argocd-cm Argo CD leaves the others out.
local status = obj.status or {}
local conditions, holds = {}, {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
  holds[condition.type] = condition.status == "True"
end
local ready, stalled = conditions.Ready, conditions.Stalled
local seen = status.observedGeneration == obj.metadata.generation

if obj.metadata.deletionTimestamp ~= nil then
  -- A deletion raises the generation: a Ready that has seen it tells what holds the object, an older one does not.
  if seen and ready ~= nil and not holds.Ready then
    return {status = "Progressing", message = "Terminating: " .. ready.message}
  end
  return {status = "Progressing", message = "Terminating"}
end
if ready == nil or not seen then
  return {status = "Progressing", message = "Generation " .. tostring(obj.metadata.generation) .. " is not looked at yet"}
end
if holds.Stalled then
  return {status = "Degraded", message = stalled.reason .. ": " .. stalled.message}
end
if holds.Reconciling or not holds.Ready then
  return {status = "Progressing", message = ready.message}
end
-- Last, so that a pause hides nothing that is wrong.
if obj.spec.paused then
  return {status = "Suspended", message = "Paused; " .. ready.message}
end
return {status = "Healthy", message = ready.message}
